import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import { matchPath, pathTemplate } from "../../local/vendors/kit/path-template.ts";
import { startVendor } from "../../local/vendors/kit/start-vendor.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, REDIRECT_URI } from "./connect.ts";
import { KIT_VENDOR } from "./kit-vendor.ts";

const LOGIN = "ada@example.com";

describe("a path template", () => {
  it.each([
    ["/a/{id}", "/a/b%2Fc", { id: "b/c" }],
    ["/a/{id}", "/a/b/c", undefined],
    ["/a/{id}", "/a/", undefined],
    ["/a/{id}", "/a/%E0", undefined],
    ["/a", "/a", {}],
    ["/a", "/ab", undefined],
    ["/Items({id})/Children", "/Items(x)/Children", { id: "x" }],
    ["/root:/{path+}:/children", "/root:/a/b%20c:/children", { path: "a/b c" }],
    ["/root:/{path+}:/children", "/root:/a/b", undefined],
    ["/d/{drive}/root:/{path+}", "/d/1/root:/a:/b", { drive: "1", path: "a:/b" }],
  ])("%s on %s gives %j", (template, given, expected) => {
    expect(matchPath(pathTemplate(template), given)).toEqual(expected);
  });
});

describe("a stand-in made with the kit", () => {
  let clock: Clock;
  let standIn: StandIn;
  let folder: string;
  let tokens: { access_token: string; refresh_token: string; member: string };

  const start = () => startVendor(KIT_VENDOR, { clock, app: APP, dataFolder: folder });
  const authorization = `Basic ${Buffer.from(`${APP.clientId}:${APP.clientSecret}`).toString("base64")}`;
  const ask = (form: Record<string, string>, headers: Record<string, string> = { authorization }) =>
    fetch(`${standIn.origin}/acme/token`, { method: "POST", headers, body: new URLSearchParams(form) });
  const refresh = (token: string) => ask({ grant_type: "refresh_token", refresh_token: token });
  const signIn = async () => {
    const query = { client_id: APP.clientId, response_type: "code", redirect_uri: REDIRECT_URI };
    const back = await allow(
      standIn,
      `https://login.tiny.example/acme/authorize?${new URLSearchParams(query)}`,
    );
    const code = back.get("code") ?? "";
    return {
      back,
      answer: await ask({ grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI }),
    };
  };
  const api = async (method: string, where: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${standIn.origin}${where}`, {
      method,
      headers: {
        authorization: `Bearer ${tokens.access_token}`,
        ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Bytes of a file.
    }
    return { status: answer.status, value, headers: answer.headers };
  };
  const names = async () =>
    ((await api("GET", "/folders/root/items")).value as { items: { name: string }[] }).items.map(
      ({ name }) => name,
    );
  const upload = (name: string, text = "abcdef") => {
    const form = new FormData();
    form.set("file", new Blob([text]), name);
    return api("POST", "/upload", form);
  };

  beforeEach(async () => {
    clock = systemClock();
    folder = mkdtempSync(path.join(tmpdir(), "kit-"));
    standIn = await start();
    tokens = (await (await signIn()).answer.json()) as typeof tokens;
  });
  afterEach(async () => {
    await standIn.close();
    rmSync(folder, { recursive: true });
  });

  it("knows the customer of a path, and adds its own parameters and members", async () => {
    const { back, answer } = await signIn();
    expect(back.get("tenant")).toBe("acme");
    expect(await answer.json()).toMatchObject({ member: LOGIN, expires_in: 600 });
  });

  it("accepts the client's secret only where the vendor accepts it", async () => {
    const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
    const client = { client_id: APP.clientId, client_secret: APP.clientSecret };
    expect((await ask({ ...form, ...client }, {})).status).toBe(400);
    expect((await ask(form)).status).toBe(200);
  });

  it("rotates refresh tokens, and ends the grant when one is used twice", async () => {
    const next = (await (await refresh(tokens.refresh_token)).json()) as typeof tokens;
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    const spent = await refresh(tokens.refresh_token);
    expect(await spent.json()).toEqual({ error: "invalid_grant", error_description: "expired for tiny" });
    expect((await refresh(next.refresh_token)).status).toBe(400);
    expect((await api("GET", "/me")).status).toBe(401);
  });

  it("ends refresh tokens that are not used for a time", async () => {
    clock.advance(999_000);
    const next = (await (await refresh(tokens.refresh_token)).json()) as typeof tokens;
    clock.advance(999_000);
    expect((await refresh(next.refresh_token)).status).toBe(200);
    clock.advance(1_001_000);
    expect((await refresh(next.refresh_token)).status).toBe(400);
  });

  it("revokes only for the client that the token was issued to", async () => {
    const revoke = (headers: Record<string, string>) =>
      fetch(`${standIn.origin}/revoke`, {
        method: "POST",
        headers,
        body: new URLSearchParams({ token: tokens.refresh_token }),
      });
    expect((await revoke({})).status).toBe(400);
    expect((await api("GET", "/me")).status).toBe(200);
    expect((await revoke({ authorization })).status).toBe(200);
    expect((await api("GET", "/me")).status).toBe(401);
  });

  it("refuses unknown, missing and bad fields by name, other methods and other paths", async () => {
    const errorOf = async (method: string, where: string, body?: unknown) =>
      (await api(method, where, body)).value;
    const invalid = (field: string) => ({ error: "invalid_input", field });
    expect(await errorOf("GET", "/folders/root/items?no=1")).toEqual(invalid("query no unknown"));
    expect(await errorOf("GET", "/folders/root/items?limit=x")).toEqual(invalid("query limit invalid"));
    expect(await errorOf("GET", "/search")).toEqual(invalid("query text missing"));
    expect(await errorOf("PATCH", "/items(x)", { parent: { id: 1 } })).toEqual(
      invalid("body parent.id invalid"),
    );
    expect(await errorOf("PUT", "/items(x)")).toEqual({ error: "wrong_method" });
    expect(await errorOf("GET", "/nowhere")).toEqual({ error: "unknown_call" });
  });

  it("answers ranges of bytes by path, and uploads from multipart forms", async () => {
    await upload("Ä b.txt");
    const part = await api("GET", `/by-path:/${encodeURIComponent("Ä b.txt")}:/content`, undefined, {
      range: "bytes=1-2",
    });
    expect([part.status, part.value, part.headers.get("content-range")]).toEqual([206, "bc", "bytes 1-2/6"]);
  });

  it("takes names that differ in case or composition for the same, and refuses bad ones and too much", async () => {
    await upload("Ä.txt");
    expect((await upload("a\u0308.TXT".normalize("NFD"))).value).toEqual({ error: "name_taken" });
    expect((await api("POST", "/folders/a%5Cb")).value).toEqual({ error: "bad_name" });
    expect((await upload("big", "x".repeat(100_001))).value).toEqual({ error: "no_space" });
  });

  it("gives short and empty pages, and accepts a marker for its own list only", async () => {
    const total = (await names()).length;
    expect(total).toBeGreaterThan(2);
    standIn.switches.set({ pages: "empty" });
    const sizes: number[] = [];
    let marker = "";
    do {
      const { value } = await api("GET", `/folders/root/items?marker=${marker}`);
      const page = value as { items: unknown[]; next?: string };
      sizes.push(page.items.length);
      marker = page.next ?? "";
    } while (marker !== "" && sizes.length < 100);
    expect(sizes.slice(0, 4)).toEqual([0, 2, 0, 2]);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(total);
    const { value } = await api("GET", "/folders/root/items");
    const folderId = (await api("POST", "/folders/other")).value as { id: string };
    const foreign = await api(
      "GET",
      `/folders/${folderId.id}/items?marker=${(value as { next: string }).next}`,
    );
    expect(foreign.value).toEqual({ error: "bad_marker" });
  });

  it("limits the rate with Retry-After", async () => {
    standIn.switches.set({ rateLimit: { calls: 1, seconds: 10 } });
    expect((await api("GET", "/me")).status).toBe(200);
    const second = await api("GET", "/me");
    expect([second.status, Number(second.headers.get("retry-after")) > 8]).toEqual([429, true]);
    clock.advance(10_000);
    expect((await api("GET", "/me")).status).toBe(200);
  });

  it("does the work of an operation when its time is over, also if nobody asks", async () => {
    const { id } = (await upload("slow")).value as { id: string };
    standIn.switches.set({ operationMs: 10_000 });
    const { operation } = (await api("POST", `/items(${id})/copy`)).value as { operation: string };
    clock.advance(5000);
    const halfway = (await api("GET", `/operations/${operation}`)).value as {
      state: string;
      percent: number;
    };
    expect(halfway.state).toBe("running");
    expect(halfway.percent).toBeGreaterThanOrEqual(50);
    expect(await names()).not.toContain("Copy of slow");
    clock.advance(5000);
    expect(await names()).toContain("Copy of slow");
  });

  it("finds new names late, and refuses single items, by switches", async () => {
    const found = async () => ((await api("GET", "/search?text=fresh")).value as unknown[]).length;
    const { id } = (await upload("fresh")).value as { id: string };
    standIn.switches.set({ searchLagMs: 10_000 });
    expect(await found()).toBe(0);
    clock.advance(10_000);
    expect(await found()).toBe(1);
    standIn.switches.set({ refusals: [{ name: "fresh", action: "move" }] });
    expect((await api("PATCH", `/items(${id})`, { name: "x" })).value).toEqual({ error: "refused" });
  });

  it("sets and shows the switches over HTTP", async () => {
    const control = (method: string, body?: unknown) =>
      fetch(`${standIn.origin}/_control/switches`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    expect((await control("POST", { pages: "short" })).status).toBe(200);
    expect((await control("POST", { pages: "odd" })).status).toBe(400);
    expect(await (await control("GET")).json()).toMatchObject({ pages: "short" });
    await control("DELETE");
    expect(standIn.switches.state.pages).toBe("full");
  });

  it("keeps files, changes, trash and rotated tokens over a restart, and never issues an id again", async () => {
    const { id } = (await upload("kept")).value as { id: string };
    await api("PATCH", `/items(${id})`, { name: "kept as" });
    const gone = (await upload("gone")).value as { id: string };
    await api("DELETE", `/items(${gone.id})`);
    const next = (await (await refresh(tokens.refresh_token)).json()) as typeof tokens;
    await standIn.close();
    standIn = await start();
    const { value } = await api("GET", "/folders/root/items");
    expect((value as { items: unknown[] }).items).toContainEqual({
      id,
      name: "kept as",
      etag: 1,
      note: "file",
      size: 6,
    });
    expect((await api("POST", `/trash/${gone.id}`)).value).toMatchObject({ name: "gone" });
    const later = (await upload("later")).value as { id: string };
    expect(Number(later.id.split("-")[1])).toBeGreaterThan(Number(gone.id.split("-")[1]));
    expect((await refresh(next.refresh_token)).status).toBe(200);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
  });
});
