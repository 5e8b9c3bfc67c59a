import { compareUtf8 } from './json.ts';

interface Node<T> {
  value?: T;
  children?: Map<string, Node<T>>;
  /** Sorted names of `children`, kept until one comes or goes. */
  names?: readonly string[];
}

/**
 * Values by path, kept as a tree so that a listing costs what the folder holds and not what the tree holds.
 * A path is its segments; `a` may be a value and a folder at once.
 */
export class PathTree<T> {
  readonly #root: Node<T> = {};

  get(path: readonly string[]): T | undefined {
    return this.#find(path)?.value;
  }

  set(path: readonly string[], value: T): void {
    let node = this.#root;
    for (const segment of path) {
      delete node.names;
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = {};
        node.children.set(segment, child);
      }
      node = child;
    }
    node.value = value;
  }

  /** Removes a value, and the folders that it leaves empty. */
  delete(path: readonly string[]): void {
    const nodes = [this.#root];
    for (const segment of path) {
      const child = nodes.at(-1)?.children?.get(segment);
      if (child === undefined) return;
      nodes.push(child);
    }
    delete nodes.at(-1)?.value;
    for (let depth = path.length; depth > 0; depth--) {
      const parent = nodes[depth - 1];
      const node = nodes[depth];
      if (parent !== undefined) delete parent.names;
      if (node?.value === undefined && !node?.children?.size) parent?.children?.delete(path[depth - 1] ?? '');
    }
  }

  /** Names in a folder by their UTF-8 bytes: `a` for a value, `a/` for a folder, both where a name is both. */
  list(folder: readonly string[]): readonly string[] {
    const node = this.#find(folder);
    if (node === undefined) return [];
    node.names ??= namesOf(node);
    return node.names;
  }

  /** Paths of all values below a folder, relative to it: a folder's own values first, then its folders one by one. */
  *walk(folder: readonly string[]): Generator<string> {
    const node = this.#find(folder);
    if (node !== undefined) yield* walkNode(node, '');
  }

  /** The same tree, each value passed through `copy`. */
  clone(copy: (value: T) => T): PathTree<T> {
    const tree = new PathTree<T>();
    cloneNode(this.#root, tree.#root, copy);
    return tree;
  }

  #find(path: readonly string[]): Node<T> | undefined {
    let node: Node<T> | undefined = this.#root;
    for (const segment of path) node = node?.children?.get(segment);
    return node;
  }
}

function namesOf<T>(node: Node<T>): string[] {
  const names: string[] = [];
  for (const [name, child] of node.children ?? []) {
    if (child.value !== undefined) names.push(name);
    if (child.children?.size) names.push(`${name}/`);
  }
  return names.sort(compareUtf8);
}

function* walkNode<T>(node: Node<T>, prefix: string): Generator<string> {
  const names = [...(node.children?.keys() ?? [])].sort(compareUtf8);
  for (const name of names) if (node.children?.get(name)?.value !== undefined) yield prefix + name;
  for (const name of names) {
    const child = node.children?.get(name);
    if (child?.children?.size) yield* walkNode(child, `${prefix}${name}/`);
  }
}

function cloneNode<T>(from: Node<T>, to: Node<T>, copy: (value: T) => T): void {
  if (from.value !== undefined) to.value = copy(from.value);
  for (const [name, child] of from.children ?? []) {
    const target: Node<T> = {};
    to.children ??= new Map();
    to.children.set(name, target);
    cloneNode(child, target, copy);
  }
}
