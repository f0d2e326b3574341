export { compileElements, compileProgramJs, type RunElements } from './compile.js'
export { compileJs } from './compileJs.js'
export { generateJs } from './generate.js'
export { scalarize } from './scalarize.js'
