import { createHash } from "node:crypto";
import { LinkspanError } from "../errors.ts";
import type { Instance } from "../instances/instance.ts";
import type { KeptDetailsStore, StoredDetails } from "../instances/kept-details-store.ts";
import { present } from "../present.ts";
import type { SealedPlace, Vault } from "../vault/ports.ts";
import { SealBroken } from "../vault/sealed-format.ts";
import type { DocumentsItem } from "./item.ts";
import type { Details } from "./vendor.ts";

/** Most characters of the kept details of one item. */
export const MAX_CHARACTERS = 20_000;
/** Most details of another account that one call removes. */
const MOST_REMOVED = 25;

/**
 * Tags and descriptions that the vendor does not keep: sealed, in the table of the instances, by the item's stable id. An
 * instance that never kept any reads nothing.
 */
export interface KeptDetails {
  /** Adds what is kept. */
  shown(items: readonly DocumentsItem[]): Promise<readonly DocumentsItem[]>;
  /**
   * Keeps details of an item, in addition to those that are kept already.
   * @returns all that is kept of it now
   * @throws {LinkspanError} 404: the instance is gone; 503: the key service does not answer
   */
  keep(item: DocumentsItem, details: Details): Promise<Details>;
  /** Removes what is kept of an item. Best effort: no item gets the id of another one. */
  forget(item: DocumentsItem): Promise<void>;
}

export interface KeptDetailsOptions {
  readonly store: KeptDetailsStore;
  readonly vault: Pick<Vault, "seal" | "open">;
  readonly instance: Pick<Instance, "id" | "organizationId" | "account" | "keepsDetails">;
  /** Whether the instance still exists and is not being deleted. */
  readonly exists: () => Promise<boolean>;
  /** Gets the error of details that cannot be opened: they count as absent, so that the item is still listed. */
  readonly report: (error: SealBroken) => void;
}

/** @returns undefined: the vendor's account is not known, so nobody can say whose details they are */
export function keptDetailsOf(options: KeptDetailsOptions): KeptDetails | undefined {
  const { account } = options.instance;
  return account === undefined ? undefined : new DetailsOfAccount(options, digest(account.id).slice(0, 12));
}

class DetailsOfAccount implements KeptDetails {
  readonly #options: KeptDetailsOptions;
  readonly #account: string;
  #isUsed: boolean;
  /** What the one query of a call found. */
  #first: ReturnType<KeptDetailsStore["first"]> | undefined;

  constructor(options: KeptDetailsOptions, account: string) {
    this.#options = options;
    this.#account = account;
    this.#isUsed = options.instance.keepsDetails === true;
  }

  async shown(items: readonly DocumentsItem[]): Promise<readonly DocumentsItem[]> {
    if (!this.#isUsed || items.length === 0) return items;
    const found = await this.#find(items.map((item) => this.#keyOf(item)));
    if (found.size === 0) return items;
    return await Promise.all(
      items.map(async (item) => {
        const stored = found.get(this.#keyOf(item));
        return stored === undefined ? item : { ...item, ...(await this.#open(stored)) };
      }),
    );
  }

  async keep(item: DocumentsItem, details: Details): Promise<Details> {
    const { store, vault, instance, exists } = this.#options;
    if (!this.#isUsed && !(await store.mark(instance.id))) throw gone();
    this.#isUsed = true;
    const key = this.#keyOf(item);
    const before = await store.get(instance.id, key);
    const all = { ...(before && (await this.#open(before))), ...details };
    this.#first = undefined;
    if (Object.values(all).every((value) => value.length === 0)) {
      await store.remove(instance.id, key);
      return all;
    }
    const sealed = await vault.seal(this.#place(key), JSON.stringify(all));
    await store.put(instance.id, { key, sealed });
    // A deletion of the instance may have removed its details just before this write.
    if (await exists()) return all;
    await store.remove(instance.id, key);
    throw gone();
  }

  async forget(item: DocumentsItem): Promise<void> {
    if (!this.#isUsed) return;
    const { store, instance } = this.#options;
    await store.remove(instance.id, this.#keyOf(item)).catch(() => {});
  }

  /** One item by GetItem; more by one Query, or by their keys if there are too many for one Query. */
  async #find(keys: readonly string[]): Promise<Map<string, StoredDetails>> {
    const { store, instance } = this.#options;
    const [only = ""] = keys;
    if (keys.length === 1 && this.#first === undefined) {
      const one = await store.get(instance.id, only);
      return new Map(one === undefined ? [] : [[only, one]]);
    }
    this.#first ??= this.#query();
    const { found, isWhole } = await this.#first;
    const all = isWhole ? found : await store.many(instance.id, [...new Set(keys)]);
    return new Map(all.map((each) => [each.key, each]));
  }

  /** Removes what is left of an account that the instance had before. */
  async #query(): ReturnType<KeptDetailsStore["first"]> {
    const { store, instance } = this.#options;
    const first = await store.first(instance.id);
    const others = first.found.filter(({ key }) => !key.startsWith(`${this.#account}#`));
    for (const { key } of others.slice(0, MOST_REMOVED)) await store.remove(instance.id, key).catch(() => {});
    return first;
  }

  async #open({ key, sealed }: StoredDetails): Promise<Details> {
    try {
      const text = await this.#options.vault.open(this.#place(key), sealed);
      const { description, tags } = JSON.parse(text) as Details;
      return present({ description, tags });
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.#options.report(error);
      return {};
    }
  }

  #keyOf(item: DocumentsItem): string {
    return `${this.#account}#${digest(item.refId ?? item.entry ?? item.reference)}`;
  }

  #place(key: string): SealedPlace {
    return keptDetailsPlace(this.#options.instance, key);
  }
}

/** Details open only at their own instance, account and item. */
export function keptDetailsPlace(
  { id, organizationId }: Pick<Instance, "id" | "organizationId">,
  key: string,
): SealedPlace {
  return { organizationId, item: `instance/${id}`, field: "details", version: key };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function gone(): LinkspanError {
  return new LinkspanError(404, "not_found", "this instance is being deleted");
}
