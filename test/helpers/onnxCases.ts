import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readModel, readTensorProto } from '../../src/onnx/file/read.js'
import type { ModelProto, TensorProto, TypeProto } from '../../src/onnx/schema/onnx_pb.js'

/** The folders of ONNX's backend tests; `light` holds whole networks, without inputs. */
export const onnxSuites = ['node', 'simple', 'pytorch-converted', 'pytorch-operator', 'light'] as const
export type OnnxSuite = (typeof onnxSuites)[number]

export interface OnnxCase {
  /** The case's folder, such as `test_add_bcast`. */
  readonly name: string
  readonly modelBytes: Uint8Array
  /** Empty when `nonTensors` is not: their files hold other messages. */
  readonly datasets: readonly { readonly inputs: TensorProto[]; readonly outputs: TensorProto[] }[]
  /** The graph's inputs and outputs that are declared as something other than a tensor. */
  readonly nonTensors: readonly {
    readonly name: string
    readonly kind: 'sequence' | 'optional' | 'map' | 'sparse'
  }[]
}

/** ONNX's own test cases, read one by one from the archives in EVOLUTE_DATA (unpacked once, to the temporary folder). */
export function* onnxCases(suite: OnnxSuite = 'node'): Generator<OnnxCase> {
  const folder = join(unpack(archiveOf(suite)), 'onnx/backend/test/data', suite)
  if (suite === 'light') yield* lightCases(folder)
  else for (const name of readdirSync(folder).sort()) yield readCase(join(folder, name), name)
}

function readCase(folder: string, name: string): OnnxCase {
  const modelBytes = readFileSync(join(folder, 'model.onnx'))
  const nonTensors = nonTensorsOf(readModel(modelBytes, { name }))
  const sets =
    nonTensors.length > 0 ? [] : readdirSync(folder).filter((file) => file.startsWith('test_data_set_'))
  const datasets = sets.sort().map((set) => ({
    inputs: readTensors(join(folder, set), 'input'),
    outputs: readTensors(join(folder, set), 'output'),
  }))
  return { name, modelBytes, datasets, nonTensors }
}

function* lightCases(folder: string): Generator<OnnxCase> {
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.onnx')) continue
    const name = file.slice(0, -'.onnx'.length)
    const output = readTensorProto(readFileSync(join(folder, `${name}_output_0.pb`)))
    const datasets = [{ inputs: [], outputs: [output] }]
    yield { name, modelBytes: readFileSync(join(folder, file)), datasets, nonTensors: [] }
  }
}

function readTensors(folder: string, kind: 'input' | 'output'): TensorProto[] {
  const count = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`)).length
  return Array.from({ length: count }, (_, i) => {
    const name = `${kind}_${i}.pb`
    return readTensorProto(readFileSync(join(folder, name)), { name })
  })
}

const kinds = {
  sequenceType: 'sequence',
  optionalType: 'optional',
  mapType: 'map',
  sparseTensorType: 'sparse',
} as const

function nonTensorsOf({ graph }: ModelProto): OnnxCase['nonTensors'] {
  return [...(graph?.input ?? []), ...(graph?.output ?? [])].flatMap(({ name, type }) => {
    const value: TypeProto['value']['case'] = type?.value.case
    return value === undefined || value === 'tensorType' ? [] : [{ name, kind: kinds[value] }]
  })
}

function archiveOf(suite: OnnxSuite): string {
  const data = process.env.EVOLUTE_DATA
  if (!data) throw new Error('onnxCases: EVOLUTE_DATA is not set, expected the folder of the test data')
  return join(
    data,
    'onnx',
    `onnx_backend_${suite === 'node' ? 'node' : 'light_pytorch_simple'}_v1.19.0.tar.xz`,
  )
}

/** The folder with the archive's files. Workers that unpack at the same time each fill a folder of their own; one wins. */
function unpack(archive: string): string {
  const { size, mtimeMs } = statSync(archive)
  const cache = join(tmpdir(), 'evolute-onnx-cases')
  const target = join(cache, `${archive.split(/[\\/]/).at(-1)}-${size}-${Math.round(mtimeMs)}`)
  if (existsSync(target)) return target
  mkdirSync(cache, { recursive: true })
  const own = mkdtempSync(join(cache, 'unpacking-'))
  execFileSync('tar', ['-xJf', archive, '-C', own])
  try {
    renameSync(own, target)
  } catch (error) {
    rmSync(own, { recursive: true })
    if (!existsSync(target)) throw error
  }
  return target
}
