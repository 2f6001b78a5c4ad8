/**
 * Compile the kernel.
 * @returns the module, and the source text of src/kernel/kernel-wasm.ts, which holds it as base64
 */
export function compileKernel(): Promise<{ wasm: Uint8Array; source: string }>
