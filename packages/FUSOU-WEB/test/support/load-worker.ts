// Loads the Worker before the first test, which would otherwise pay for it.
import '../../src/index.ts'
