/** Compile the kernel. @returns the source text of src/kernel-wasm.ts, which holds the module as base64 */
export function compileKernel(): Promise<string>
