/** Nested plain objects and arrays with leaves of type `L`. */
export type Tree<L> = L | readonly Tree<L>[] | { readonly [key: string]: Tree<L> }

/** The shape of a tree without its leaves. */
export type Structure =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'array'; readonly children: readonly Structure[] }
  | { readonly kind: 'object'; readonly keys: readonly string[]; readonly children: readonly Structure[] }

const leaf: Structure = { kind: 'leaf' }

/**
 * The leaves of a tree in order (objects by their keys' order of insertion), and its structure.
 * @throws naming the place, after `name`, of what is no leaf, array or plain object.
 */
export function flatten<L>(
  tree: Tree<L>,
  isLeaf: (node: unknown) => boolean,
  name = 'tree',
): { leaves: L[]; structure: Structure } {
  const leaves: L[] = []
  const walk = (node: Tree<L>, at: string): Structure => {
    if (isLeaf(node)) {
      leaves.push(node as L)
      return leaf
    }
    if (Array.isArray(node))
      return { kind: 'array', children: node.map((child, i) => walk(child, `${at}[${i}]`)) }
    if (isPlainObject(node)) {
      const keys = Object.keys(node)
      return {
        kind: 'object',
        keys,
        children: keys.map((key) => walk(node[key] as Tree<L>, at ? `${at}.${key}` : key)),
      }
    }
    throw new Error(
      `${name}${at && ` at ${at}`}: got ${describe(node)}, expected tensors, numbers, or arrays and plain objects of them`,
    )
  }
  const structure = walk(tree, '')
  return { leaves, structure }
}

/** The tree of `structure` with the given leaves. */
export function unflatten<L>(structure: Structure, leaves: readonly L[]): Tree<L> {
  let next = 0
  const build = (node: Structure): Tree<L> => {
    if (node.kind === 'leaf') return leaves[next++] as L
    if (node.kind === 'array') return node.children.map(build)
    return Object.fromEntries(node.keys.map((key, i) => [key, build(node.children[i] as Structure)]))
  }
  const tree = build(structure)
  if (next !== leaves.length) throw new Error(`tree: got ${leaves.length} leaves, expected ${next}`)
  return tree
}

export function sameStructure(a: Structure, b: Structure): boolean {
  if (a.kind === 'leaf' || b.kind === 'leaf') return a.kind === b.kind
  if (a.kind !== b.kind || a.children.length !== b.children.length) return false
  if (a.kind === 'object' && b.kind === 'object' && a.keys.some((key, i) => key !== b.keys[i])) return false
  return a.children.every((child, i) => sameStructure(child, b.children[i] as Structure))
}

/** A structure as text, leaves as `*`: `{w:*,b:[*,*]}`. */
export function showStructure(structure: Structure): string {
  if (structure.kind === 'leaf') return '*'
  const children = structure.children.map(showStructure)
  if (structure.kind === 'array') return `[${children.join(',')}]`
  return `{${structure.keys.map((key, i) => `${key}:${children[i]}`).join(',')}}`
}

/** Names of the leaves: `layers[0].weight`; the empty name for a single leaf. */
export function leafNames(structure: Structure, prefix = ''): string[] {
  if (structure.kind === 'leaf') return [prefix]
  if (structure.kind === 'array')
    return structure.children.flatMap((child, i) => leafNames(child, `${prefix}[${i}]`))
  return structure.children.flatMap((child, i) =>
    leafNames(child, prefix ? `${prefix}.${structure.keys[i]}` : (structure.keys[i] as string)),
  )
}

function isPlainObject(node: unknown): node is Record<string, unknown> {
  if (typeof node !== 'object' || node === null) return false
  const prototype = Object.getPrototypeOf(node)
  return prototype === Object.prototype || prototype === null
}

function describe(node: unknown): string {
  if (typeof node === 'string') return JSON.stringify(node)
  if (typeof node === 'function') return `the function ${node.name || 'without a name'}`
  if (node === null || typeof node !== 'object') return String(node)
  return `an instance of ${node.constructor?.name ?? 'an unknown class'}`
}
