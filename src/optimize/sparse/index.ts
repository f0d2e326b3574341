export { inverseDiagonal } from './inverseDiagonal.js'
export { minimumDegree } from './minimumDegree.js'
export {
  type CholeskyFactor,
  type SymbolicCholesky,
  solveCholesky,
  sparseCholesky,
  symbolicCholesky,
} from './sparseCholesky.js'
export {
  type SymmetricMatrix,
  type SymmetricPattern,
  symmetricMatrix,
  symmetricPattern,
} from './symmetric.js'
