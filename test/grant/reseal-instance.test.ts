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

test("seals both secrets anew", async () => {
  expect(await reseal()).toBe("resealed");
  expect(world.tableCalls.toSorted()).toEqual(["reseal", "resealConfiguration"]);
  expect(world.stored().plain.accessToken).toBe("old");
  expect(await reseal(world.stored())).toBe("current");
});

test("seals what is yet to end anew, too", async () => {
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

test("writes nothing where one of the two does not open", async () => {
  const broken = world.put({}, { sealedConfiguration: new TextEncoder().encode('[{"field":"else"},"x"]') });
  old = [broken.grant, broken.sealedConfiguration as Uint8Array];
  await expect(reseal(broken)).rejects.toThrow(SealBroken);
  expect(world.tableCalls).toEqual([]);
});

test("seals what an earlier version kept in clear, beside what lies sealed", async () => {
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

test("seals a secret in clear where nothing was sealed before, and looks again where somebody was faster", async () => {
  const { sealedConfiguration, ...rest } = instance;
  world.items.set(42, { ...rest, configuration: { "a.token": "1" }, secretConfigurationKeys: [] });
  const read = world.stored();
  old = [];
  // Between the read and the write somebody changes the configuration, and so seals it.
  world.items.set(42, { ...instance, configuration: { "b.token": "2" } });
  expect(await reseal(read)).toBe("resealed");
  expect(await openConfiguration(world.deps.vault, world.stored())).toEqual({
    "app.password": "x",
    "b.token": "2",
  });
  expect(world.stored().configuration).toEqual({});
});

test("that somebody's refresh did before it is not called its own", async () => {
  const { sealedConfiguration, ...plain } = instance;
  world.items.set(42, { ...plain, version: 2, fence: 2, grant: new TextEncoder().encode("newest") });
  expect(await reseal(plain)).toBe("current");
});
