export * from './engines/index.js'
export * as np from './numpy/index.js'
export * from './tensor/index.js'
export * from './transforms/index.js'
