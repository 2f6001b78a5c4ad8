declare module '*/.env.production' {
  const text: string
  export default text
}
