import type { DropboxAccount, DropboxNode } from "./dropbox-account.ts";
import { BadInput } from "./errors.ts";

const READ_PATTERN = "(/(.|[\\r\\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)";

/**
 * The node that a path argument names: `/a/b`, `id:…`, `id:…/b` below it, `rev:…`.
 * @returns undefined: there is no such node
 * @throws {BadInput} the path has none of these forms
 */
export function resolvePath(account: DropboxAccount, path: string): DropboxNode | undefined {
  if (path === "") return account.tree.root;
  if (path.startsWith("/")) return account.at(path);
  if (/^rev:[0-9a-f]{9,}$/.test(path)) {
    const id = path.slice("rev:".length);
    return [...account.tree.all()].find((node) => node.revisions.some((revision) => revision.id === id));
  }
  if (path.startsWith("id:")) {
    const node = account.tree.get(path);
    if (node !== undefined && !account.isMounted(node)) return node;
    const absolute = absolutePath(account, path);
    return absolute === undefined ? undefined : account.at(absolute);
  }
  if (/^ns:[0-9]+(\/.*)?$/s.test(path)) return undefined;
  throw new BadInput(`path: '${path}' did not match pattern '${READ_PATTERN}'`);
}

/** `id:…/b` as `/a/b`; a plain path unchanged; undefined if the id is unknown. */
export function absolutePath(account: DropboxAccount, path: string): string | undefined {
  if (!path.startsWith("id:")) return path;
  const slash = path.indexOf("/");
  const [id, below] = slash < 0 ? [path, ""] : [path.slice(0, slash), path.slice(slash)];
  const node = account.tree.get(id);
  return node === undefined || !account.isMounted(node) ? undefined : account.tree.pathOf(node) + below;
}

/** @throws {BadInput} the path is the root, which most endpoints do not accept */
export function notRoot(path: string): string {
  if (path === "" || path === "/") throw new BadInput("path: The root folder is unsupported.");
  return path;
}
