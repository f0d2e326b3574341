/** What an {@link OnnxError} is about: the file and, if known, the node (a NodeProto will do). */
export interface Where {
  readonly file: string
  readonly node?: OnnxNodeName | undefined
}

export interface OnnxNodeName {
  readonly name: string
  readonly opType: string
  readonly output?: readonly string[]
}

/** A model or tensor file that cannot be used; the message reads `model.onnx: node "conv1" (Conv): reason`. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
  readonly file: string
  readonly node: string | undefined
  readonly reason: string

  constructor(reason: string, where: Where, options?: ErrorOptions) {
    const node = where.node && describeNode(where.node)
    super([where.file, node, reason].filter(Boolean).join(': '), options)
    this.file = where.file
    this.node = where.node?.name || where.node?.output?.[0]
    this.reason = reason
  }
}

/** Runs `body`; what it throws becomes an {@link OnnxError} at `where`, unless it is one already. */
export function locating<T>(where: Where, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof OnnxError) throw error
    throw new OnnxError(error instanceof Error ? error.message : String(error), where, { cause: error })
  }
}

/** A name from a file, safe to print: quoted, escaped and of bounded length. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

function describeNode({ name, opType, output }: OnnxNodeName): string {
  const op = opType ? quote(opType).slice(1, -1) : 'no op_type'
  return name ? `node ${quote(name)} (${op})` : `unnamed node of output ${quote(output?.[0] ?? '')} (${op})`
}
