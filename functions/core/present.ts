/** The result of `present`: members that may be undefined are absent instead. */
export type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The object without its undefined members: `{ ...present({ name }) }` has a `name` only if it is defined. */
export function present<T extends object>(value: T): Present<T> {
  const found: Partial<T> = {};
  // Uses a loop because `Object.entries` makes an array for each member, and lists call this for each of their
  // items.
  for (const name in value) if (value[name] !== undefined) found[name] = value[name];
  return found as Present<T>;
}
