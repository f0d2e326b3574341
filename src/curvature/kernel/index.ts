export type { KernelKind, KernelMethod } from './blocks.js'
export { kernelRegression } from './regression.js'
export { type TangentKernel, type TangentKernelOptions, tangentKernel } from './tangentKernel.js'
