import { operators, opsetRange } from '../../src/onnx/import/table.js'
import { onnxCases } from '../helpers/onnxCases.js'
import { type Exclusion, exclusionOf, isCorrected, outOfScope } from './outOfScope.js'

/** The text of docs/onnx.md: what is imported, and what is not with the number of ONNX's node cases. */
export function scopeDocument(): string {
  const counts = new Map<Exclusion | undefined, number>()
  let total = 0
  let corrected = 0
  for (const onnxCase of onnxCases('node')) {
    const exclusion = exclusionOf(onnxCase)
    counts.set(exclusion, (counts.get(exclusion) ?? 0) + 1)
    total++
    if (!exclusion && isCorrected(onnxCase.name)) corrected++
  }
  const rows = outOfScope.map((exclusion) => {
    const what = [...(exclusion.operators ?? []), ...(exclusion.types ?? []), ...(exclusion.cases ?? [])]
    return `| ${exclusion.reason} | ${what.map((name) => `\`${name}\``).join(' ')} | ${counts.get(exclusion) ?? 0} |`
  })
  const supported = Object.entries(operators).map(([domain, table]) => {
    const names = Object.keys(table).sort()
    return `**${domain || 'ai.onnx'}** (${names.length}): ${names.join(', ')}.`
  })
  return `# ONNX models that can be imported

<!-- Written by test/onnx/conformance.test.ts; update with: npx vitest run test/onnx/conformance -u -->

\`importModel\` reads models of the operator sets ${opsetRange.join(' to ')} (tested from 7 on) and of \`com.microsoft\`, as far as they compute
with floats and can be differentiated. Of ONNX's ${total} node cases ${counts.get(undefined)} are in scope. Each of them gives the stated
result, both when it is computed at once and when it is traced and run by ONNX Runtime; but for ${corrected} cases of
Attention, whose results ONNX has corrected since version 1.19: they give what ONNX Runtime gives for the file.

- float32 and float64 keep their type. Models of 16-bit floats are refused, because nothing changes precision silently;
  \`importModel(bytes, { precision: 'float32' })\` says that they shall compute with float32 (or float64).
- All integer types are held as int32; a number outside it is an error. Arithmetic of narrower types does not wrap
  around, a conversion to one does.
- BatchNormalization is in its inference form, with the stored mean and variance, unless the node says
  \`training_mode = 1\`. Dropout is the identity.
- Control flow is decided when the model is traced, where its conditions are known then; else \`If\` becomes \`cond\`,
  \`Loop\` \`whileLoop\` (if it collects nothing), and \`Scan\` \`scan\`, and values keep their shapes. Shapes, axes, and
  whatever else decides sizes must be known when the model is traced.

## Operators

${supported.join('\n\n')}

## Out of scope

| What | Operators, element types, cases | Node cases |
|---|---|--:|
${rows.join('\n')}
`
}
