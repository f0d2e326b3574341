import { beforeAll, describe, expect, test } from 'vitest'
import {
  activationCurvature,
  analyze,
  type BatchesCheckpoint,
  type BatchSumsCheckpoint,
  batchSharpness,
  hessianNoise,
  lossHessian,
  measureLearningRateLaw,
  noiseScale,
  type StagesCheckpoint,
  type SymmetricCurvature,
  stabilityReport,
} from '../../../src/curvature/index.js'
import { tinyProblem } from '../../helpers/tinyNetwork.js'

const { problem } = tinyProblem(4)

interface Session<State> {
  readonly checkpoint?: State
  readonly onCheckpoint?: (state: State) => void
  readonly signal?: AbortSignal
}

/** What `work` gives when it is stopped after every checkpoint and begun again from it, and how often that was. */
async function inPieces<T, State>(work: (session: Session<State>) => Promise<T>) {
  let checkpoint: State | undefined
  for (let stops = 0; ; stops++) {
    const stop = new AbortController()
    const reason = new Error('stopped')
    try {
      const result = await work({
        ...(checkpoint !== undefined && { checkpoint }),
        onCheckpoint(state) {
          checkpoint = structuredClone(state)
          stop.abort(reason)
        },
        signal: stop.signal,
      })
      return { result, stops }
    } catch (error) {
      if (error !== reason) throw error
    }
  }
}

/** `work` in pieces gives the digits of `work` in one, and was stopped at least `stops` times. */
async function expectSameInPieces<T, State>(work: (session: Session<State>) => Promise<T>, stops: number) {
  const pieces = await inPieces(work)
  expect(pieces.result).toEqual(await work({}))
  expect(pieces.stops).toBeGreaterThanOrEqual(stops)
}

describe('stopped after every step, each goes on to the digits of an uninterrupted run', () => {
  let hessian: SymmetricCurvature
  beforeAll(async () => {
    hessian = await lossHessian(problem, { batch: 9 })
    return () => hessian.dispose()
  })

  test('batch sharpness', () =>
    expectSameInPieces(
      (session: Session<BatchesCheckpoint>) => batchSharpness(problem, { batch: 9, ...session }),
      10,
    ))
  test('the noise of the Hessian', () =>
    expectSameInPieces(
      (session: Session<BatchesCheckpoint>) => hessianNoise(hessian, { seed: 2, ...session }),
      10,
    ))
  test('the noise of the gradient', () =>
    expectSameInPieces(
      (session: Session<BatchesCheckpoint>) => noiseScale(problem, { batch: 2, batches: 40, ...session }),
      3,
    ))
  test('the law of the learning rate', () =>
    expectSameInPieces(
      (session: Session<StagesCheckpoint>) => measureLearningRateLaw(problem, { batch: 9, ...session }),
      20,
    ))
  test('the report on stability', () => {
    const step = { learningRate: 0.1, batch: 9, probes: 8 }
    return expectSameInPieces(
      (session: Session<StagesCheckpoint>) => stabilityReport(problem, { ...step, ...session }),
      40,
    )
  })
  test('curvature in outputs', () =>
    expectSameInPieces(
      (session: Session<BatchSumsCheckpoint>) => activationCurvature(problem, { batch: 9, ...session }),
      9,
    ))
})

describe('an analysis', () => {
  test.each(['hessian', 'ggn'] as const)('of the %s stopped at any step of these', async (curvature) => {
    const options = { curvature, top: 2, steps: 8, probes: 4, batch: 9, stability: true, activations: true }
    const stages = ['learning-rate law', 'gradient noise', 'curvature in outputs']
    let begun: StagesCheckpoint | undefined
    const whole = await analyze(problem, {
      ...options,
      onCheckpoint(state) {
        if (!stages.some((stage) => stage in state.running || stage in state.finished)) begun = state
      },
    })
    const { result, stops } = await inPieces<typeof whole, StagesCheckpoint>((session) =>
      analyze(problem, { ...options, checkpoint: begun, ...session }),
    )
    expect(stops).toBeGreaterThan(20)
    for (const section of ['learningRate', 'noise', 'activations', 'trace', 'eigenvalues'] as const)
      expect(result[section]).toEqual(whole[section])
  })
})

test('a checkpoint of another run is refused, with what differs', async () => {
  const states: BatchesCheckpoint[] = []
  await noiseScale(problem, { batch: 2, onCheckpoint: (state) => states.push(state) })
  const [checkpoint] = states
  await expect(noiseScale(problem, { batch: 2, seed: 1, checkpoint })).rejects.toThrow(
    'noiseScale: checkpoint is of a run with seed 0, expected 1',
  )
  await expect(batchSharpness(problem, { batch: 2, checkpoint })).rejects.toThrow('with method noiseScale')
})
