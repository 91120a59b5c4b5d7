import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keptDetails } from "../../../functions/aws/instances/kept-details.ts";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import { keptDetailsOf } from "../../../functions/core/documents/kept-details.ts";
import type { KeptDetailsStore } from "../../../functions/core/instances/kept-details-store.ts";
import { type openTable, TABLE } from "../../grant/open-instance-table.ts";
import { KeyBench } from "../tenants/key-bench.ts";

let bench: KeyBench;
let table: Awaited<ReturnType<typeof openTable>>;

beforeAll(async () => {
  bench = await KeyBench.open();
  table = bench.instanceTable;
});
afterAll(() => bench.close());

const file = (name: string): DocumentsItem => ({
  id: `id ${name}`,
  refId: `ref ${name}`,
  reference: `/${name}`,
  name,
  directory: false,
  raw: {},
});

async function world() {
  const { organization } = await bench.tenants.createOrganization({ name: "Acme" });
  const id = await bench.instance(organization.id);
  const store = keptDetails({ client: table.documents, tableName: TABLE, shards: 1 });
  const reported: string[] = [];
  const report = ({ name }: Error) => void reported.push(name);
  /** The details as a call of this account sees them. */
  const call = async (account = "ada", changes: Partial<KeptDetailsStore> = {}) => {
    const instance = { ...(await bench.read(id)), account: { id: account } };
    const exists = async () => (await bench.instances.get(id)).value?.deleting === undefined;
    const kept = keptDetailsOf({
      store: { ...store, ...changes },
      vault: bench.vault,
      instance,
      exists,
      report,
    });
    if (kept === undefined) throw new Error("the account is known");
    return kept;
  };
  return { id, organizationId: organization.id, store, call, reported };
}

const countOf = async (work: () => Promise<unknown>): Promise<string[]> => {
  const before = table.operations.length;
  await work();
  return table.operations.slice(before);
};

describe("details that the vendor does not keep", () => {
  it("cost no read at an instance that never kept any; then one, for any number of items", async () => {
    const { call } = await world();
    const items = Array.from({ length: 300 }, (_, index) => file(`${index}`));
    const unused = await call();
    expect(await countOf(() => unused.shown(items))).toEqual([]);
    await unused.keep(file("7"), { tags: ["seven"] });
    const used = await call();
    expect(await countOf(() => used.shown([file("7")]))).toEqual(["GetItemCommand"]);
    const listing = await call();
    expect(await countOf(() => listing.shown(items))).toEqual(["QueryCommand"]);
    expect(await countOf(() => listing.shown(items))).toEqual([]);
    expect((await listing.shown(items)).filter(({ tags }) => tags !== undefined)).toEqual([
      { ...file("7"), tags: ["seven"] },
    ]);
  });

  it("are read by their keys if one query does not hold them all", async () => {
    const { call, store, id } = await world();
    const kept = await call();
    for (const name of ["a", "b"]) await kept.keep(file(name), { description: name });
    const first: KeptDetailsStore["first"] = async () => ({
      ...(await store.first(id)),
      found: [],
      isWhole: false,
    });
    const many = Array.from({ length: 250 }, (_, index) => file(`${index}`));
    const some = await call("ada", { first });
    const shown = await some.shown([...many, file("a"), file("b"), file("a")]);
    expect(shown.map(({ description }) => description).filter(Boolean)).toEqual(["a", "b", "a"]);
  });

  it("add up, and are gone when the last one is cleared or the item is deleted", async () => {
    const { call, store, id } = await world();
    const kept = await call();
    await kept.keep(file("a"), { tags: ["x"] });
    expect(await kept.keep(file("a"), { description: "y" })).toEqual({ tags: ["x"], description: "y" });
    await kept.keep(file("a"), { tags: [] });
    expect(await kept.shown([file("a")])).toEqual([{ ...file("a"), tags: [], description: "y" }]);
    await kept.keep(file("a"), { description: "" });
    await kept.keep(file("b"), { tags: ["x"] });
    await kept.forget(file("b"));
    expect((await store.first(id)).found).toEqual([]);
  });

  it("of another account are neither shown nor left behind", async () => {
    const { call, store, id } = await world();
    await (await call("ada")).keep(file("a"), { tags: ["of Ada"] });
    const other = await call("bob");
    expect(await other.shown([file("a")])).toEqual([file("a")]);
    expect(await other.shown([file("a"), file("b")])).toEqual([file("a"), file("b")]);
    expect((await store.first(id)).found).toEqual([]);
  });

  it("open only at their own instance, account and item", async () => {
    const { call, store, id, reported } = await world();
    const kept = await call();
    await kept.keep(file("a"), { tags: ["secret"] });
    const [{ sealed, key } = { sealed: new Uint8Array(), key: "" }] = (await store.first(id)).found;
    expect(Buffer.from(sealed).toString("latin1")).not.toContain("secret");
    expect(key).not.toContain("ref a");
    await kept.keep(file("b"), { tags: ["other"] });
    const others = (await store.first(id)).found.find((each) => each.key !== key);
    await store.put(id, { key: others?.key ?? "", sealed });
    // The item is shown without details, and the error is reported.
    expect(await (await call()).shown([file("b")])).toEqual([file("b")]);
    expect(reported).toEqual(["SealBroken"]);
    await (await call()).keep(file("b"), { tags: ["new"] });
    expect(await (await call()).shown([file("b")])).toEqual([{ ...file("b"), tags: ["new"] }]);
  });

  it("are not kept for an instance that is being deleted, not even if the deletion comes first by a moment", async () => {
    const { call, store, id } = await world();
    const early = await call();
    const late = await call("ada", { mark: async () => true });
    await bench.instances.markDeleting(id, bench.now);
    await expect(early.keep(file("a"), { tags: ["x"] })).rejects.toMatchObject({ status: 404 });
    await expect(late.keep(file("a"), { tags: ["x"] })).rejects.toMatchObject({ status: 404 });
    expect((await store.first(id)).found).toEqual([]);
  });

  it("need an account that is known", () => {
    const instance = { id: 1, organizationId: "org" };
    const options = {
      store: {} as KeptDetailsStore,
      vault: bench.vault,
      instance,
      exists: async () => true,
      report: () => {},
    };
    expect(keptDetailsOf(options as Parameters<typeof keptDetailsOf>[0])).toBeUndefined();
  });
});

describe("kept details and the organization's data key", () => {
  it("are resealed, and the old key is retired only when nothing needs it", async () => {
    const { organizationId, id, call, store } = await world();
    for (const name of ["a", "b", "c"]) await (await call()).keep(file(name), { tags: [name] });
    const before = (await store.first(id)).found;
    await bench.rotate(organizationId);
    bench.now += 9 * 86_400_000;
    const { resealed, retired, broken } = await bench.reseal(organizationId);
    expect([resealed, broken]).toEqual([4, []]);
    expect(retired).toHaveLength(1);
    const after = (await store.first(id)).found;
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(await (await call()).shown([file("a")])).toEqual([{ ...file("a"), tags: ["a"] }]);
  });

  it("that cannot be opened are named, and keep their key", async () => {
    const { organizationId, id, call, store } = await world();
    await (await call()).keep(file("a"), { tags: ["a"] });
    await (await call()).keep(file("b"), { tags: ["b"] });
    const [one, two] = (await store.first(id)).found;
    await store.put(id, { key: one?.key ?? "", sealed: two?.sealed ?? new Uint8Array() });
    await bench.rotate(organizationId);
    bench.now += 9 * 86_400_000;
    const { broken, retired, kept } = await bench.reseal(organizationId);
    expect([broken, retired, kept.map(({ why }) => why)]).toEqual([
      [`instance/${id}/details`],
      [],
      ["in_use"],
    ]);
  });

  it("are removed with the instance", async () => {
    const { id, call, store } = await world();
    for (const name of ["a", "b", "c"]) await (await call()).keep(file(name), { tags: [name] });
    await bench.instances.removeDetails(id);
    expect((await store.first(id)).found).toEqual([]);
    expect((await bench.instances.get(id)).value).toBeDefined();
  });
});
