import { describe, expect, test } from 'vitest'
import type { Comparison, CurvatureReport, Landscape } from '../../src/curvature/index.js'
import { learningRateLaw } from '../../src/curvature/index.js'
import { comparisonDocument } from '../../src/report/comparison.js'
import { curvatureReport } from '../../src/report/curvature.js'
import { htmlPage } from '../../src/report/html.js'
import { landscapeDocument } from '../../src/report/landscape.js'
import { curvatureText, documentText } from '../../src/report/terminal.js'
import { sampleReport } from './sample.js'

const estimate = (value: number, error: number) => ({ estimate: value, standardError: error })

function sampleLandscape(): Landscape {
  const t = Array.from({ length: 9 }, (_, i) => (i - 4) / 10)
  const slice = (name: string, curvature: number) => ({
    name,
    slope: 0.1,
    curvature,
    length: 1,
    t,
    quadratic: t.map((x) => 0.3 + 0.1 * x + (curvature * x * x) / 2),
    loss: t.map((x) => 0.3 + 0.1 * x + (curvature * x * x) / 2 + 20 * x ** 4),
  })
  const plane = [0, 1, 2].map((i) => [0, 1, 2].map((j) => 0.3 + i * i + j * j))
  return {
    along: 'eigenvectors',
    loss: 0.3,
    slices: [slice('eigenvector 1', 12), slice('eigenvector 2', 7)],
    plane: { x: [-0.4, 0, 0.4], y: [-0.4, 0, 0.4], loss: plane, quadratic: plane },
    evaluations: 27,
    samples: 1000,
  }
}

/** A made-up report with every section. */
function fullReport(): CurvatureReport {
  const base = sampleReport()
  const input = { sharpness: estimate(41.2, 1e-6), noise: estimate(9000, 700), samples: 1000 }
  return {
    ...base,
    smallest: [{ value: -0.8, residual: 1e-4 }],
    layers: [
      {
        name: 'conv.weight',
        shape: [8, 1, 5, 5],
        parameters: 200,
        trace: estimate(250, 5),
        top: { value: 30, residual: 0.01 },
      },
      {
        name: 'fc.weight',
        shape: [10, 2525],
        parameters: 25_250,
        trace: estimate(66.4, 3),
        top: { value: 12, residual: 0.02 },
      },
    ],
    activations: [{ name: 'conv.weight', outputs: 4608, trace: estimate(1.2, 0.1) }],
    density: {
      ...base.density,
      standardError: base.density.values.map((value) => value / 4),
      logarithmic: {
        grid: base.density.grid.map((x) => x / 10),
        values: base.density.values.map((value) => 10 * value),
      },
    },
    logDeterminant: { ...estimate(-1234, 5), shift: 1, quadratureChange: 0.01 },
    learningRate: learningRateLaw(input),
    noise: {
      gradient: 0.2,
      covariance: estimate(90, 8),
      simple: estimate(450, 40),
      curvature: 3,
      critical: estimate(300, 50),
      learningRate: 0.15,
      drawn: estimate(0.97, 0.05),
    },
    landscape: sampleLandscape(),
    cost: { ...base.cost, stages: [{ stage: 'trace', products: 30, seconds: 1.5 }] },
  }
}

describe('a report with every section', () => {
  test('names each on the page and in the text, without NaN or Infinity', () => {
    const [html, text] = [curvatureReport(fullReport()), curvatureText(fullReport())]
    const titles = ['Layers', 'Learning rate and batch size', 'Loss landscape', 'Log-determinant', 'Cost']
    for (const title of titles) {
      expect(html).toContain(`<h2>${title}</h2>`)
      expect(text).toContain(`\n${title}\n`)
    }
    for (const made of [html, text]) expect(made).not.toMatch(/NaN|Infinity|undefined|null|\[object/)
    expect(Math.max(...text.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80)
  })

  test('says what the figures mean', () => {
    const text = curvatureText(fullReport(), 400)
    expect(text).toContain('conv.weight holds most of the trace, 79% of it')
    expect(text).toContain('One computed eigenvalue is negative, −0.80000 ± 0.00010, 1.9% of the largest')
    expect(text).toMatch(/Up to batches of about 5 the largest stable learning rate grows with the batch/)
    expect(text).toContain('a batch of 450 ± 40 has as much noise as gradient')
    expect(text).toContain('Along eigenvector 1 the quadratic model is off by a tenth of its rise from |t| =')
  })

  test('says which matrix it is of', () => {
    expect(curvatureText({ ...fullReport(), curvature: 'ggn' })).toContain(
      'Gauss-Newton matrix of the cross-entropy loss',
    )
  })

  test('leaves out what was not measured', () => {
    const html = curvatureReport(sampleReport())
    for (const title of ['Layers', 'Learning rate', 'Loss landscape', 'Log-determinant'])
      expect(html).not.toContain(`<h2>${title}`)
  })
})

describe('a landscape alone', () => {
  test('is a page and a text', () => {
    const document = landscapeDocument({ ...sampleLandscape(), plane: null }, 'net.onnx', 'mse')
    expect(htmlPage(document).match(/<svg/g)).toHaveLength(2)
    expect(documentText(document)).toContain('Loss landscape of net.onnx\nThe mse loss over 1,000 samples')
  })
})

describe('a comparison', () => {
  const { model, ...first } = fullReport()
  const second = {
    ...first,
    eigenvalues: first.eigenvalues.map((pair) => ({ ...pair, value: 2 * pair.value })),
  }
  const differs = { difference: 0.5, error: 0.1, differs: true }
  const same = { difference: 0.1, error: 0.5, differs: false }
  const comparison: Comparison = {
    first,
    second,
    loss: same,
    accuracy: null,
    eigenvalues: first.eigenvalues.map(({ value }) => ({ ...differs, difference: value })),
    trace: same,
    layers: [{ name: 'fc.weight', ...same }],
    line: { t: [0, 0.5, 1], loss: [0.1, 0.9, 0.2], accuracy: null, barrier: 0.75, distance: 12 },
  }
  const models = [model, { ...model, name: 'other.onnx' }] as const

  test('says in words which differences exceed their errors', () => {
    const text = documentText(comparisonDocument(comparison, models), 400)
    expect(text).toContain(
      'For other.onnx, beside digits.onnx on the same samples, the loss is the same within its error, the sharpness is larger, the trace is the same within its error.',
    )
    expect(text).toContain('a barrier of 0.75 lies between them')
    expect(htmlPage(comparisonDocument(comparison, models))).not.toMatch(
      /NaN|Infinity|undefined|null|\[object/,
    )
  })

  test('tells two models of one name apart, and says why there is no line', () => {
    const document = comparisonDocument({ ...comparison, line: 'There is no line: reasons.' }, [model, model])
    expect(document.title).toBe('digits.onnx (first) and digits.onnx (second)')
    expect(documentText(document)).toContain('There is no line: reasons.')
  })
})
