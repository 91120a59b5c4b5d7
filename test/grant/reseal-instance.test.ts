import { beforeEach, expect, test } from "vitest";
import { resealInstance } from "../../functions/core/grant/operator/reseal-instance.ts";
import { openConfiguration, sealConfiguration } from "../../functions/core/grant/store/sealed-grant.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { SealBroken } from "../../functions/core/vault/sealed-format.ts";
import { CalmWorld } from "./calm-world.ts";

let world: CalmWorld;
let instance: Instance;
let old: Uint8Array[];
beforeEach(async () => {
  world = new CalmWorld();
  const place = { id: 42, organizationId: "org" };
  const sealedConfiguration = await sealConfiguration(world.deps.vault, place, { "app.password": "x" });
  instance = world.put({}, { sealedConfiguration, secretConfigurationKeys: ["app.password"] });
  old = [instance.grant, sealedConfiguration];
  world.tableCalls.length = 0;
});

const reseal = (read = instance) => resealInstance(world.deps, read, (sealed) => old.includes(sealed));

test("a re-seal seals both secrets again", async () => {
  expect(await reseal()).toBe("resealed");
  expect(world.tableCalls.toSorted()).toEqual(["reseal", "resealConfiguration"]);
  expect(world.stored().plain.accessToken).toBe("old");
  expect(await reseal(world.stored())).toBe("current");
});

test("a re-seal also seals replaced grants again", async () => {
  const { grant, sealedConfiguration, ...rest } = instance;
  const oldGrant = world.put().grant;
  const replaced = { version: 1, grant: oldGrant, at: 5 };
  const read = { ...rest, grant: new TextEncoder().encode("new"), replacedGrants: [replaced] };
  world.items.set(42, read);
  old = [oldGrant];
  expect(await reseal(read)).toBe("resealed");
  expect(world.tableCalls).toEqual(["resealReplaced"]);
  const [now] = world.items.get(42)?.replacedGrants ?? [];
  expect(now).toEqual(replaced);
  expect(now?.grant).not.toBe(oldGrant);
});

test("a re-seal writes nothing when one of the two cannot be opened", async () => {
  const broken = world.put({}, { sealedConfiguration: new TextEncoder().encode('[{"field":"else"},"x"]') });
  old = [broken.grant, broken.sealedConfiguration as Uint8Array];
  await expect(reseal(broken)).rejects.toThrow(SealBroken);
  expect(world.tableCalls).toEqual([]);
});

test("a re-seal seals secrets that an earlier version stored in plain text, together with the sealed ones", async () => {
  const configuration = { "my.key": "mine", api_token: "in-clear" };
  world.items.set(42, { ...instance, configuration });
  old = [];
  expect(await reseal(world.stored())).toBe("resealed");
  expect(world.tableCalls).toEqual(["sealClear"]);
  const now = world.stored();
  expect(now.configuration).toEqual({ "my.key": "mine" });
  expect(now.secretConfigurationKeys).toEqual(["app.password", "api_token"]);
  expect(await openConfiguration(world.deps.vault, now)).toEqual({
    "app.password": "x",
    api_token: "in-clear",
  });
  expect(await reseal(now)).toBe("current");
});

test("a re-seal seals a plain secret where none was sealed, and reads again when another process was faster", async () => {
  const { sealedConfiguration, ...rest } = instance;
  world.items.set(42, { ...rest, configuration: { "a.token": "1" }, secretConfigurationKeys: [] });
  const read = world.stored();
  old = [];
  // Between the read and the write another process changes the configuration, and so seals it.
  world.items.set(42, { ...instance, configuration: { "b.token": "2" } });
  expect(await reseal(read)).toBe("resealed");
  expect(await openConfiguration(world.deps.vault, world.stored())).toEqual({
    "app.password": "x",
    "b.token": "2",
  });
  expect(world.stored().configuration).toEqual({});
});

test("a re-seal does not count an instance that a refresh sealed before it", async () => {
  const { sealedConfiguration, ...plain } = instance;
  world.items.set(42, { ...plain, version: 2, fence: 2, grant: new TextEncoder().encode("newest") });
  expect(await reseal(plain)).toBe("current");
});
