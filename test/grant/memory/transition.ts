/** One conditional write of one item, as the table does it: its conditions, and what it leaves. */
export interface Transition<Item> {
  /** All conditions must hold. They have names, so that a test can take one out. */
  readonly conditions: Readonly<Record<string, (item: Item) => boolean>>;
  readonly set?: Partial<Record<keyof Item, unknown>>;
  /** Set only when the item has no value yet. */
  readonly setOnce?: Partial<Record<keyof Item, unknown>>;
  /** Numbers that a write never lowers. */
  readonly atLeast?: Partial<Record<keyof Item, number>>;
  readonly remove?: readonly (keyof Item)[];
}

/** @param without names of conditions that are not checked */
export function isAllowed<Item>(
  item: Item,
  { conditions }: Transition<Item>,
  without: readonly string[] = [],
): boolean {
  return Object.entries(conditions).every(([name, holds]) => without.includes(name) || holds(item));
}

/** The item after the write. `undefined` in `set` sets nothing. */
export function changed<Item extends object>(
  item: Item,
  { set = {}, setOnce = {}, atLeast = {}, remove = [] }: Transition<Item>,
): Item {
  const values = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
  const left: Record<PropertyKey, unknown> = { ...setOnce, ...item, ...values };
  for (const [name, least] of Object.entries<number | undefined>(atLeast))
    left[name] = Math.max(Number(left[name] ?? 0), least ?? 0);
  for (const name of remove) if (!Object.hasOwn(values, name)) delete left[name];
  return left as Item;
}
