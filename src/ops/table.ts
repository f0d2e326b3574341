import type { Primitive } from '../program/primitive.js'
import { arithmeticOps } from './arithmetic.js'
import { broadcastOps } from './broadcast.js'
import { compareOps } from './compare.js'
import { convolutionOps } from './convolution.js'
import { dotOps } from './dot.js'
import { gatherOps } from './gather.js'
import { integerPowOps } from './integerPow.js'
import { kinkOps } from './kinks.js'
import { linalgOps } from './linalg/table.js'
import { patchOps } from './patches.js'
import { poolOps } from './pool.js'
import { reduceOps } from './reduce.js'
import { sliceOps } from './slice.js'
import { smoothOps } from './smooth.js'
import { specialOps } from './special.js'
import { trigonometricOps } from './trigonometric.js'

/** Every primitive. Tests are generated from this table; nothing at run time needs it. */
export const primitives: readonly Primitive[] = [
  ...arithmeticOps,
  ...compareOps,
  ...kinkOps,
  ...smoothOps,
  ...integerPowOps,
  ...trigonometricOps,
  ...specialOps,
  ...broadcastOps,
  ...sliceOps,
  ...gatherOps,
  ...reduceOps,
  ...patchOps,
  ...poolOps,
  ...dotOps,
  ...convolutionOps,
  ...linalgOps,
]
