export { foriLoop, type ScanSettings, scan, whileLoop } from './loops.js'
export { cond, switchCase } from './switch.js'
