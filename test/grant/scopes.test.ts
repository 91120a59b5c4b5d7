import { beforeEach, describe, expect, test } from "vitest";
import type { Connector } from "../../functions/connectors/define-connector.ts";
import googledrive from "../../functions/connectors/vendors/googledrive.ts";
import { refreshDue } from "../../functions/core/grant/schedule/refresh-due.ts";
import { grantedScopes, missingScopes } from "../../functions/core/grant/scopes.ts";
import { type FirstExchange, provisionInstance } from "../../functions/core/grant/sign-in/first-exchange.ts";
import { signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import { CalmWorld, granted, HOUR } from "./calm-world.ts";
import { connector } from "./connector.ts";

const withScopes = (scopes: Partial<Connector["oauth2"]["scopes"]>): Connector => ({
  ...connector,
  oauth2: { ...connector.oauth2, scopes: { ...connector.oauth2.scopes, ...scopes } },
});

let world: CalmWorld;
beforeEach(() => {
  world = new CalmWorld();
});

const exchange = (askedScopes?: readonly string[]): FirstExchange => ({
  organizationId: "org",
  userId: "user",
  connector,
  client: { kind: "own", id: "client", secret: "secret" },
  code: "code",
  redirectUri: "https://app.example/cb",
  configuration: {},
  secretConfiguration: {},
  name: "Mine",
  tags: [],
  ...(askedScopes === undefined ? {} : { askedScopes }),
});

async function connected(askedScopes: readonly string[] | undefined, scope: string | undefined) {
  world.exchange = () => granted("first", scope === undefined ? {} : { scope });
  const { instance } = await world.finish(
    provisionInstance(world.deps, world.transients, exchange(askedScopes), world.call),
  );
  const { plain } = world.stored(instance.id);
  return {
    id: instance.id,
    scopes: grantedScopes(connector, plain),
    missing: missingScopes(connector, plain),
    told: world.announced.filter(({ name }) => name === "instance.scopes_missing"),
  };
}

describe("the scopes of a new connection", () => {
  test("are those that the vendor names; an event names the missing ones once", async () => {
    const { scopes, missing, told } = await connected(["files", "profile", "mail"], "profile files");
    expect(scopes).toEqual(["profile", "files"]);
    expect(missing).toEqual(["mail"]);
    expect(told).toMatchObject([{ missingScopes: ["mail"], connector: "vendor" }]);
  });

  test("are the requested ones when the vendor names none (RFC 6749 section 5.1)", async () => {
    const { scopes, missing, told } = await connected(["files", "mail"], undefined);
    expect([scopes, missing, told]).toEqual([["files", "mail"], [], []]);
  });

  test("are compared with nothing when the requested ones are unknown", async () => {
    const { scopes, missing, told } = await connected(undefined, "files");
    expect([scopes, missing, told]).toEqual([["files"], [], []]);
  });

  test("stay the same while refreshes name none, and change when a refresh does", async () => {
    const { id } = await connected(["files", "mail"], "files mail");
    const refresh = async (more: Record<string, unknown>) => {
      await world.pass(HOUR);
      world.answer = () => granted(`at-${world.now}`, more);
      await world.finish(refreshDue(world.deps, { instanceId: id, cause: "schedule" }, world.call));
      const { plain } = world.stored(id);
      return [grantedScopes(connector, plain), missingScopes(connector, plain)];
    };
    expect(await refresh({})).toEqual([["files", "mail"], []]);
    expect(await refresh({ scope: "files" })).toEqual([["files"], ["mail"]]);
  });

  test("are compared again at a sign-in, and an event names the missing ones again", async () => {
    const { id } = await connected(["files", "mail"], "files");
    world.exchange = () => granted("second", { scope: "mail" });
    await world.pass(1_000);
    const again = { ...exchange(["files", "mail"]), code: "second code", instanceId: id };
    await world.finish(signInAgain(world.deps, world.transients, again, world.call));
    expect(missingScopes(connector, world.stored(id).plain)).toEqual(["files"]);
    const told = world.announced.filter(({ name }) => name === "instance.scopes_missing");
    expect(told.map(({ missingScopes: missing }) => missing)).toEqual([["mail"], ["files"]]);
    expect(new Set(told.map((event) => event.id)).size).toBe(2);
  });
});

describe("scopes that a connector declares", () => {
  test("can have another name in the vendor's answer", () => {
    const scope =
      "https://www.googleapis.com/auth/drive openid https://www.googleapis.com/auth/userinfo.email";
    const askedScopes = ["openid", "email", "profile", "https://www.googleapis.com/auth/drive"];
    expect(missingScopes(googledrive, { scope, askedScopes })).toEqual(["profile"]);
  });

  test("can be missing from every answer of the vendor", () => {
    const never = withScopes({ unreported: ["offline_access"] });
    const grant = { scope: "Files.Read", askedScopes: ["offline_access", "Files.Read", "Mail.Read"] };
    expect(missingScopes(never, grant)).toEqual(["Mail.Read"]);
  });

  test.each([
    [{}, "a b  c", ["a", "b", "c"]],
    [{ separator: "," as const }, "a,b, c", ["a", "b", "c"]],
    [{ answerSeparator: "," as const }, "a,b,a", ["a", "b"]],
    [{ separator: "+" as const }, "a+b", ["a", "b"]],
    [{}, "", []],
  ])("with %j, %j is %j", (scopes, scope, each) => {
    expect(grantedScopes(withScopes(scopes), { scope })).toEqual(each);
  });

  test("may have names of an object's own members", () => {
    const grant = { scope: "constructor", askedScopes: ["constructor", "toString"] };
    expect(missingScopes(connector, grant)).toEqual(["toString"]);
  });
});
