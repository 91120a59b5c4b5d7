import { beforeEach, describe, expect, it } from "vitest";
import type { ConnectionDeps } from "../../../functions/connections/deps.ts";
import { connectionRoutes } from "../../../functions/connections/routes.ts";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import { openConfiguration, sealConfiguration } from "../../../functions/core/grant/store/sealed-grant.ts";
import { CalmWorld } from "../../grant/calm-world.ts";
import { testOrganization } from "../documents/test-vault.ts";
import { perform } from "../http/perform.ts";
import { request } from "./a-request.ts";

const MASK = "********";
let world: CalmWorld;
let deps: ConnectionDeps;

/** The instance as a version left it that knew a secret only by `password` and `secret`. */
beforeEach(async () => {
  world = new CalmWorld();
  world.connector = dropbox;
  const place = { id: 42, organizationId: "org" };
  world.put(
    {},
    {
      connector: "dropbox",
      configuration: { "my.key": "mine", access_token: "in-clear", "oauth.callback.url": "https://app/cb" },
      secretConfigurationKeys: ["my.password"],
      sealedConfiguration: await sealConfiguration(world.deps.vault, place, { "my.password": "sealed" }),
    },
  );
  const owner = { organizationId: "org", userId: "user" };
  deps = {
    grants: world.deps,
    transients: world.transients,
    tenants: {
      organization: async () => testOrganization("org"),
      user: async () => ({ id: "user", organizationId: "org", number: 7, status: "active" }),
      bySecret: async (secret: string) => (secret === "lsu_ann" ? owner : undefined),
    },
  } as unknown as ConnectionDeps;
});

const call = async (method: string, path: string, body?: unknown) =>
  (
    await perform(
      connectionRoutes(() => deps),
      request(
        { authorization: "Bearer lsu_ann" },
        { method, path, body: Buffer.from(body === undefined ? "" : JSON.stringify(body)) },
      ),
    )
  ).json as Record<string, unknown>;
const patch = (body: unknown) => call("PATCH", "/instances/42", body);
const put = (body: unknown) => call("PUT", "/instances/42", body);
const sealed = () => openConfiguration(world.deps.vault, world.stored());

describe("a secret that an earlier version stored in plain text", () => {
  it("is masked at once, in the instance and in its configuration", async () => {
    expect((await call("GET", "/instances/42")).configuration).toEqual({
      "my.key": "mine",
      access_token: MASK,
      "my.password": MASK,
      "oauth.callback.url": "https://app/cb",
    });
    const entries = (await call("GET", "/instances/42/configuration")) as unknown as {
      key: string;
      propertyValue: string;
    }[];
    expect(entries.find(({ key }) => key === "access_token")?.propertyValue).toBe(MASK);
    expect(world.stored().configuration).toHaveProperty("access_token");
  });

  it.each<[string, () => Promise<unknown>]>([
    ["another value is changed", () => patch({ configuration: { other: "1" } })],
    ["it comes back masked", () => patch({ configuration: { access_token: MASK } })],
    ["the name is changed", () => patch({ name: "New" })],
    [
      "the whole configuration is put as it was shown",
      async () => put({ configuration: (await call("GET", "/instances/42")).configuration }),
    ],
  ])("is sealed when %s, and keeps its value", async (_, change) => {
    await change();
    expect(JSON.stringify(world.stored().configuration)).not.toContain("in-clear");
    expect(await sealed()).toEqual({ access_token: "in-clear", "my.password": "sealed" });
    expect(world.stored().secretConfigurationKeys.toSorted()).toEqual(["access_token", "my.password"]);
    expect(world.stored().configuration).toMatchObject({ "my.key": "mine" });
  });

  it("is deleted when the whole configuration is put without it", async () => {
    await put({ configuration: { "my.key": "other" } });
    expect(await sealed()).toEqual({});
    expect(world.stored().configuration).toEqual({
      "my.key": "other",
      "oauth.callback.url": "https://app/cb",
    });
  });

  it("replaces a sealed value of the same name, because a version that does not seal has written it later", async () => {
    await patch({ name: "Sealed now" });
    const { configuration } = world.stored();
    world.items.set(42, { ...world.stored(), configuration: { ...configuration, access_token: "newer" } });
    await patch({ configuration: { other: "1" } });
    expect(await sealed()).toMatchObject({ access_token: "newer" });
  });

  it("is sealed at once when it is sent now", async () => {
    await patch({ configuration: { apiToken: "a", private_key: "b", "x.passphrase": "c" } });
    expect(await sealed()).toMatchObject({ apiToken: "a", private_key: "b", "x.passphrase": "c" });
  });
});

describe("a sealed value whose name no longer counts as a secret's", () => {
  it("stays sealed until it is sent again", async () => {
    const place = { id: 42, organizationId: "org" };
    const before = { "client.secret.expires": "2027" };
    world.items.set(42, {
      ...world.stored(),
      configuration: {},
      secretConfigurationKeys: Object.keys(before),
      sealedConfiguration: await sealConfiguration(world.deps.vault, place, before),
    });
    await patch({ configuration: { other: "1" } });
    expect(await sealed()).toEqual(before);
    await patch({ configuration: { "client.secret.expires": "2028" } });
    expect(await sealed()).toEqual({});
    expect(world.stored().configuration).toMatchObject({ "client.secret.expires": "2028" });
  });
});
