import envFile from '../../../.env.production'
import { createApp } from './app.ts'

export default createApp(envFile)
