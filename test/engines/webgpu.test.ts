import { expect, test } from 'vitest'
import { cases } from '../helpers/cases.js'
import { hasSoftwareGpu, onSoftwareGpu } from '../helpers/softwareGpu.js'

test.skipIf(!hasSoftwareGpu)(
  'every primitive and its gradients are on a WebGPU device what the interpreter says',
  async () => {
    const found = (await onSoftwareGpu('engines/webgpuPrimitives.ts')) as Record<string, string>
    const names = cases.filter(({ primitive }) => primitive.lower).map(({ name }) => name)
    expect(names.length).toBeGreaterThan(150)
    expect(found).toEqual(Object.fromEntries(names.map((name) => [name, ''])))
  },
  180_000,
)
