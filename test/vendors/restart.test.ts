import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, authorizationUrl, REDIRECT_URI, VENDORS, type VendorUnderTest } from "./connect.ts";
import { vendorFetch } from "./vendor-fetch.ts";

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** What a client sees of Ada's files, with ids, revisions and times. */
const LISTINGS: Readonly<Record<string, (fetchVendor: typeof fetch, token: string) => Promise<Response>>> = {
  Dropbox: (fetchVendor, token) =>
    fetchVendor("https://api.dropboxapi.com/2/files/list_folder", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ path: "", recursive: true, include_deleted: true }),
    }),
  "Google Drive": (fetchVendor, token) =>
    fetchVendor("https://www.googleapis.com/drive/v3/files?pageSize=1000&fields=*", {
      headers: { Authorization: `Bearer ${token}` },
    }),
  Box: async (fetchVendor, token) => {
    const entries: unknown[] = [];
    const folders = ["0"];
    for (let id = folders.shift(); id !== undefined; id = folders.shift()) {
      const url = `https://api.box.com/2.0/folders/${id}/items?fields=name,size,sha1,modified_at,file_version`;
      const answer = await fetchVendor(url, { headers: { Authorization: `Bearer ${token}` } });
      const page = (await answer.json()) as { entries: { type: string; id: string }[] };
      entries.push(...page.entries);
      folders.push(...page.entries.filter(({ type }) => type === "folder").map((folder) => folder.id));
    }
    return Response.json({ entries });
  },
};

describe.each(VENDORS)("the $name stand-in after a restart", (vendor) => {
  let folder: string;
  let clock: Clock;
  const running: StandIn[] = [];

  beforeEach(async () => {
    clock = systemClock();
    folder = await mkdtemp(path.join(tmpdir(), "linkspan-vendor-"));
  });
  afterEach(async () => {
    for (const standIn of running.splice(0)) await standIn.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (from = folder): Promise<StandIn> => {
    const standIn = await vendor.start(clock, from);
    running.push(standIn);
    return standIn;
  };
  const stateFile = () => path.join(folder, "state.json");
  const list = async (standIn: StandIn, token: string): Promise<unknown[]> => {
    const listing = LISTINGS[vendor.name];
    if (listing === undefined) throw new Error(`no listing for ${vendor.name}`);
    const answer = await listing(vendorFetch(standIn), token);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { entries?: unknown[]; files?: unknown[] };
    return body.entries ?? body.files ?? [];
  };

  it("has the same files, with the same ids, revisions and bytes", async () => {
    const first = await start();
    const { access_token: token } = await connect(vendor, first);
    first.addFile("ada@example.com", "/kept/two.txt", "one");
    first.addFile("ada@example.com", "/kept/two.txt", "two");
    first.addFile("ada@example.com", "/kept/empty.txt", "");
    first.addAccount({ login: "eve@example.com", name: "Eve", email: "eve@example.com" });
    const before = await list(first, token);
    expect(before.length).toBeGreaterThan(10);
    await first.close();

    const second = await start();
    expect(await list(second, token)).toEqual(before.map((entry) => atNewOrigin(entry, first, second)));
    expect(second.entries("ada@example.com")).toEqual(first.entries("ada@example.com"));
    expect(second.accounts).toEqual(first.accounts);
    second.addFile("ada@example.com", "/kept/three.txt", "three");
    expect(second.entries("ada@example.com")).toHaveLength(first.entries("ada@example.com").length + 1);
  });

  it("accepts the tokens that it issued, except those that were ended", async () => {
    const first = await start();
    const ended = await connect(vendor, first, "grace@example.com");
    const living = await connect(vendor, first);
    first.revokeGrants("grace@example.com");
    const counts = first.living();
    await first.close();

    const second = await start();
    expect(second.living()).toEqual(counts);
    expect((await vendor.probe(vendorFetch(second), living.access_token)).status).toBe(200);
    expect((await vendor.probe(vendorFetch(second), ended.access_token)).status).toBe(401);
    expect((await refresh(vendor, second, ended.refresh_token)).status).toBe(400);
    clock.advance(5 * 3_600_000);
    expect((await vendor.probe(vendorFetch(second), living.access_token)).status).toBe(401);
    const refreshed = await refresh(vendor, second, living.refresh_token);
    expect(refreshed.status).toBe(200);
    const { access_token: token } = (await refreshed.json()) as Tokens;
    await second.close();

    const third = await start();
    expect((await vendor.probe(vendorFetch(third), token)).status).toBe(200);
    expect((await vendor.revoke(vendorFetch(third), token)).status).toBe(200);
    await third.close();
    expect((await refresh(vendor, await start(), living.refresh_token)).status).toBe(400);
  });

  it("stores no token in plain text, in files that only their owner can read", async () => {
    const first = await start();
    const tokens = await connect(vendor, first);
    await first.close();
    const text = await readFile(stateFile(), "utf8");
    for (const secret of [tokens.access_token, tokens.refresh_token, APP.clientSecret]) {
      expect(text.includes(secret)).toBe(false);
    }
    const contents = await readdir(path.join(folder, "contents"));
    expect(contents.length).toBeGreaterThan(5);
    for (const file of ["state.json", ...contents.map((name) => path.join("contents", name))]) {
      expect((await stat(path.join(folder, file))).mode & 0o777).toBe(0o600);
    }
  });

  it("stores a generated file as its recipe", async () => {
    const first = await start();
    const sizeBefore = await sizeOf(folder);
    first.addGeneratedFile("ada@example.com", "/huge.bin", 1_000_000_000);
    await first.close();
    expect((await sizeOf(folder)) - sizeBefore).toBeLessThan(2000);
    // Twice: a file that was read from its recipe must be stored as a recipe again.
    for (let run = 0; run < 2; run++) {
      const next = await start();
      expect(next.entries("ada@example.com")).toEqual(first.entries("ada@example.com"));
      next.addFile("ada@example.com", `/run ${run}.txt`, "");
      await next.close();
      first.addFile("ada@example.com", `/run ${run}.txt`, "");
    }
    expect((await sizeOf(folder)) - sizeBefore).toBeLessThan(4000);
  });

  it("has lost only the last moments when it was killed", async () => {
    const first = await start();
    const { refresh_token: token } = await connect(vendor, first);
    first.addFile("ada@example.com", "/kept.txt", "kept");
    await vi.waitFor(async () => expect(await readFile(stateFile(), "utf8")).toContain("kept.txt"));
    // The state that a killed process leaves: without the last write, and perhaps with the beginning of one.
    const left = `${folder}-left`;
    await cp(folder, left, { recursive: true });
    await writeFile(path.join(left, "state.json.new"), '{"format":1,"sta');
    await writeFile(path.join(left, "contents", "0123.new"), "ha");
    try {
      const second = await start(left);
      expect(second.entries("ada@example.com").map((entry) => entry.path)).toContain("/kept.txt");
      expect((await refresh(vendor, second, token)).status).toBe(200);
      expect(await readdir(path.join(left, "contents"))).not.toContain("0123.new");
      await second.close();
    } finally {
      await rm(left, { recursive: true, force: true });
    }
  });

  it("deletes contents that no file uses any more", async () => {
    const first = await start();
    await first.close();
    await writeFile(path.join(folder, "contents", "f".repeat(64)), "nobody's");
    await (await start()).close();
    expect(await readdir(path.join(folder, "contents"))).not.toContain("f".repeat(64));
  });

  it.each([
    ["is not JSON", "{"],
    ["has another format", '{"format":99,"state":{}}'],
    ["lacks a part", '{"format":1,"state":{"accounts":[]}}'],
  ])("names the file when the state %s, and does not change the file", async (_, text) => {
    await writeFile(stateFile(), text);
    await expect(start()).rejects.toThrow(`${stateFile()} cannot be read`);
    expect(await readFile(stateFile(), "utf8")).toBe(text);
  });

  it("names the content that is missing", async () => {
    await (await start()).close();
    const [name = ""] = await readdir(path.join(folder, "contents"));
    await rm(path.join(folder, "contents", name));
    await expect(start()).rejects.toThrow(path.join(folder, "contents", name));
  });
});

describe("the Dropbox stand-in after a restart", () => {
  it("restores a deleted file, and serves a shared link at its new address", async () => {
    const vendor = VENDORS[0];
    if (vendor === undefined) throw new Error("no Dropbox");
    const folder = await mkdtemp(path.join(tmpdir(), "linkspan-vendor-"));
    const call = async (standIn: StandIn, token: string, name: string, input: unknown) => {
      const answer = await vendorFetch(standIn)(`https://api.dropboxapi.com/2/${name}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify(input),
      });
      return (await answer.json()) as Record<string, unknown>;
    };
    try {
      const first = await vendor.start(systemClock(), folder);
      const { access_token: token } = await connect(vendor, first);
      first.addFile("ada@example.com", "/gone.txt", "here again");
      first.addFile("ada@example.com", "/shared.txt", "for all");
      const { rev } = await call(first, token, "files/get_metadata", { path: "/gone.txt" });
      await call(first, token, "files/delete_v2", { path: "/gone.txt" });
      const link = { path: "/shared.txt" };
      const { url } = await call(first, token, "sharing/create_shared_link_with_settings", link);
      await first.close();

      const second = await vendor.start(systemClock(), folder);
      const restored = await call(second, token, "files/restore", { path: "/gone.txt", rev });
      expect(restored).toMatchObject({ name: "gone.txt", size: 10 });
      const { links } = await call(second, token, "sharing/list_shared_links", link);
      const moved = String(url).replace(first.origin, second.origin);
      expect((links as { url: string }[]).map((each) => each.url)).toEqual([moved]);
      expect(await (await fetch(moved.replace("dl=0", "dl=1"))).text()).toBe("for all");
      await second.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function connect(vendor: VendorUnderTest, standIn: StandIn, login?: string): Promise<Tokens> {
  const code = (await allow(standIn, authorizationUrl(vendor), login)).get("code") ?? "";
  const answer = await ask(vendor, standIn, {
    grant_type: "authorization_code",
    code,
    redirect_uri: REDIRECT_URI,
  });
  return (await answer.json()) as Tokens;
}

function refresh(vendor: VendorUnderTest, standIn: StandIn, token: string): Promise<Response> {
  return ask(vendor, standIn, { grant_type: "refresh_token", refresh_token: token });
}

function ask(vendor: VendorUnderTest, standIn: StandIn, form: Record<string, string>): Promise<Response> {
  const body = new URLSearchParams({ ...form, client_id: APP.clientId, client_secret: APP.clientSecret });
  return vendorFetch(standIn)(vendor.tokenUrl, { method: "POST", body });
}

/** Replaces the origin, because links to the stand-in itself contain its port. */
function atNewOrigin(value: unknown, first: StandIn, second: StandIn): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(first.origin, second.origin));
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const found = await stat(path.join(folder, name));
    if (found.isFile()) sum += found.size;
  }
  return sum;
}
