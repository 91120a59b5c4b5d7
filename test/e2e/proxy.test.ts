import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { auth as googleAuth, drive as googleDrive } from "@googleapis/drive";
import { Dropbox } from "dropbox";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App, type CreatedInstance } from "./app.ts";

let platform: RunningPlatform;
let app: App;

beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
}, 120_000);
afterAll(() => platform.close());
beforeEach(() => {
  for (const vendor of Object.values(platform.vendors)) {
    vendor.clearFaults();
    vendor.clearRequests();
  }
});

const seenBy = (connector: string) => platform.vendors[connector]?.requests() ?? [];

describe("Dropbox's own SDK, unmodified, with our URL and an instance token", { timeout: 60_000 }, () => {
  let instance: CreatedInstance;
  let dropbox: Dropbox;

  beforeAll(async () => {
    instance = await app.connect("dropbox");
    dropbox = new Dropbox({
      accessToken: instance.token,
      // One base URL for all of Dropbox's hosts.
      domain: `${platform.baseUrl.replace(/^http:\/\//, "")}/proxy`,
      domainDelimiter: "",
      // The SDK always uses https; the local platform speaks http.
      fetch: (url: string, init: RequestInit) => fetch(url.replace(/^https:/, "http:"), init),
    });
  });

  it("uploads, lists, downloads, moves and deletes", async () => {
    const path = "/proxy e2e/ünïcode 'q'.txt";
    const contents = randomBytes(100_000);
    await dropbox.filesUpload({ path, contents, mode: { ".tag": "overwrite" } });
    const { result: listed } = await dropbox.filesListFolder({ path: "/proxy e2e" });
    expect(listed.entries.map(({ name }) => name)).toEqual(["ünïcode 'q'.txt"]);
    const { result: file } = await dropbox.filesDownload({ path });
    const { fileBinary } = file as typeof file & { fileBinary?: Uint8Array };
    expect(contents.equals(Buffer.from(fileBinary ?? []))).toBe(true);
    await dropbox.filesMoveV2({ from_path: path, to_path: "/proxy e2e/b.txt" });
    await dropbox.filesDeleteV2({ path: "/proxy e2e" });
    const gone = await dropbox
      .filesGetMetadata({ path: "/proxy e2e/b.txt" })
      .catch((error: unknown) => error);
    expect(gone).toMatchObject({
      status: 409,
      error: { error_summary: expect.stringMatching(/^path\/not_found/) },
    });

    const hosts = new Set(seenBy("dropbox").map(({ host, path: at }) => `${host} ${at.split("?")[0]}`));
    expect(hosts).toContain("content.dropboxapi.com /2/files/upload");
    expect(hosts).toContain("content.dropboxapi.com /2/files/download");
    expect(hosts).toContain("api.dropboxapi.com /2/files/list_folder");
  });

  it("waits for changes with the call that takes no credential at the vendor", async () => {
    const { cursor } = (await dropbox.filesListFolder({ path: "" })).result;
    await dropbox.filesUpload({ path: "/longpoll.txt", contents: "x", mode: { ".tag": "overwrite" } });
    const answer = await app.call("POST", "/proxy/2/files/list_folder/longpoll", {
      authorization: `Bearer ${instance.token}`,
      json: { cursor },
    });
    expect([answer.status, answer.body]).toEqual([200, { changes: true }]);
    const seen = seenBy("dropbox").find(({ path }) => path.endsWith("/longpoll"));
    expect(seen?.host).toBe("notify.dropboxapi.com");
    expect(Object.keys(seen?.headers ?? {})).not.toContain("authorization");
  });

  it("never shows our token or the caller's address to the vendor", async () => {
    await app.call("POST", "/proxy/2/users/get_current_account", {
      authorization: `Bearer ${instance.token}`,
      headers: {
        Cookie: "a=b",
        "X-Forwarded-For": "203.0.113.9",
        "Elements-Anything": "1",
        "X-Copy": instance.token,
      },
    });
    const [seen] = seenBy("dropbox");
    expect(seen?.status).toBe(200);
    const names = Object.keys(seen?.headers ?? {});
    expect(
      names.filter((name) => /^(cookie|forwarded|via|x-forwarded|x-amzn|elements|x-copy)/i.test(name)),
    ).toEqual([]);
    expect(JSON.stringify(seen)).not.toContain(instance.token);
    expect(JSON.stringify(seen)).not.toContain("203.0.113.9");
  });

  it("works after the vendor has ended the access token", async () => {
    platform.clock.advance(120_000);
    platform.vendors.dropbox?.expireAccessTokens();
    const { result } = await dropbox.usersGetCurrentAccount();
    expect(result.account_id).toMatch(/^dbid:/);
  });

  it("passes on the vendor's errors unchanged, and marks errors of ours", async () => {
    const vendors = await app.call("POST", "/proxy/2/files/get_metadata", {
      authorization: `Bearer ${instance.token}`,
      json: { path: "/no such" },
    });
    expect([vendors.status, vendors.headers.get("elements-error-source")]).toEqual([409, null]);
    for (const [path, authorization, status] of [
      ["/proxy/2/x", undefined, 401],
      ["/proxy/2/x", `Bearer ${instance.token}x`, 401],
      ["/proxy/~nowhere/2/x", `Bearer ${instance.token}`, 404],
      ["/proxy", `Bearer ${instance.token}`, 404],
    ] as const) {
      const ours = await app.call("GET", path, authorization === undefined ? {} : { authorization });
      expect([path, ours.status, ours.headers.get("elements-error-source")]).toEqual([
        path,
        status,
        "linkspan",
      ]);
    }
    platform.vendors.dropbox?.fail({ reset: "before" });
    const broken = await app.call("POST", "/proxy/2/users/get_current_account", {
      authorization: `Bearer ${instance.token}`,
    });
    expect([broken.status, broken.headers.get("elements-error-source")]).toEqual([502, "linkspan"]);
  });

  it("reaches only declared hosts, however the path is written", async () => {
    for (const path of [
      "//evil.example/x",
      "/@evil.example/x",
      "/..%2f..%2fx",
      "/%2e%2e/%2e%2e/x",
      "/https://evil.example/x",
      "/%0d%0aHost:%20evil.example/x",
      "/~/../~content/x",
      "/\\evil.example/x",
      "/x%23@evil.example",
    ]) {
      const status = await rawStatus(`${new URL(platform.baseUrl).pathname}/proxy${path}`, instance.token);
      expect([path, status >= 200 && status < 500]).toEqual([path, true]);
    }
    const allowed = ["api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com"];
    expect(seenBy("dropbox").filter(({ host }) => !allowed.includes(host))).toEqual([]);
    expect(seenBy("dropbox").some(({ path }) => path === "/%0d%0aHost:%20evil.example/x")).toBe(true);
  });
});

describe("Google's own SDK, unmodified, with our URL and an instance token", { timeout: 60_000 }, () => {
  let instance: CreatedInstance;
  let files: ReturnType<typeof googleDrive>["files"];
  let at: { rootUrl: string };

  beforeAll(async () => {
    instance = await app.connect("googledrive");
    const auth = new googleAuth.OAuth2();
    auth.setCredentials({ access_token: instance.token });
    files = googleDrive({ version: "v3", auth, retry: false }).files;
    // The root URL is set for each call: when it is set once for the whole client, the SDK keeps only its host.
    at = { rootUrl: `${platform.baseUrl}/proxy/` };
  });

  it("creates, lists, downloads and deletes", async () => {
    const name = `proxy e2e ${"ünïcode"} 'q' & #.txt`;
    const { data: made } = await files.create(
      {
        requestBody: { name, parents: ["root"] },
        media: { mimeType: "text/plain", body: "héllo" },
        fields: "id,name",
      },
      at,
    );
    expect(made.name).toBe(name);
    const fileId = made.id ?? "";
    const { data: listed } = await files.list(
      {
        q: `name = '${name.replaceAll("'", "\\'")}' and trashed = false`,
        fields: "files(id,name)",
      },
      at,
    );
    expect(listed.files).toEqual([{ id: fileId, name }]);
    const { data: text } = await files.get({ fileId, alt: "media" }, { ...at, responseType: "text" });
    expect(text).toBe("héllo");
    const part = await files.get(
      { fileId, alt: "media" },
      { ...at, responseType: "text", headers: { Range: "bytes=1-2" } },
    );
    expect([part.status, part.data]).toEqual([206, "é"]);
    await files.delete({ fileId }, at);
    const gone = await files.get({ fileId }, at).catch((error: unknown) => error);
    expect(gone).toMatchObject({ status: 404 });
  });

  it("gets the session URL of a resumable upload with the proxy's address", async () => {
    const started = await app.call("POST", "/proxy/upload/drive/v3/files?uploadType=resumable", {
      authorization: `Bearer ${instance.token}`,
      json: { name: "resumable.txt" },
    });
    const session = started.headers.get("location") ?? "";
    expect(session.startsWith(`${platform.baseUrl}/proxy/upload/drive/v3/files?`)).toBe(true);
    const done = await app.call<{ id: string }>("PUT", session, {
      authorization: `Bearer ${instance.token}`,
      body: "bytes",
    });
    expect(done.status).toBe(200);
    const { data } = await files.get({ fileId: done.body.id, alt: "media" }, { ...at, responseType: "text" });
    expect(data).toBe("bytes");
    await files.delete({ fileId: done.body.id }, at);
  });

  it("can send the token as a query parameter", async () => {
    const answer = await app.call("GET", `/proxy/drive/v3/about?fields=user&access_token=${instance.token}`);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(seenBy("googledrive"))).not.toContain(instance.token);
  });

  it("answers HEAD with the vendor's headers", async () => {
    const answer = await app.call("HEAD", "/proxy/drive/v3/about?fields=user", {
      authorization: `Bearer ${instance.token}`,
    });
    expect([answer.status, answer.headers.get("content-type"), answer.body]).toEqual([
      200,
      expect.stringContaining("json"),
      "",
    ]);
  });
});

describe("a download through the proxy", { timeout: 120_000 }, () => {
  it("is a stream: its first bytes arrive before the vendor has sent the last", async () => {
    const instance = await app.connect("dropbox");
    const login = platform.vendors.dropbox?.accounts[0]?.login ?? "";
    platform.vendors.dropbox?.addGeneratedFile(login, "/held.bin", 1_000_000);
    platform.vendors.dropbox?.fail({ path: "/2/files/download", holdBody: { afterBytes: 100_000 } });
    const response = await fetch(`${platform.baseUrl}/proxy/2/files/download`, {
      method: "POST",
      headers: { Authorization: `Bearer ${instance.token}`, "Dropbox-API-Arg": '{"path":"/held.bin"}' },
      signal: AbortSignal.timeout(30_000),
    });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeGreaterThan(0);
    platform.vendors.dropbox?.releaseHeldBodies();
    let size = first?.value?.length ?? 0;
    for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read())
      size += chunk.value.length;
    expect(size).toBe(1_000_000);
  });

  // Only where the kernel reports a process's peak memory.
  it.runIf(process.platform === "linux")("needs little memory, whatever its size", async () => {
    const instance = await app.connect("dropbox");
    const login = platform.vendors.dropbox?.accounts[0]?.login ?? "";
    const size = 60_000_000;
    platform.vendors.dropbox?.addGeneratedFile(login, "/large.bin", size);
    await app.call("POST", "/proxy/2/users/get_current_account", {
      authorization: `Bearer ${instance.token}`,
    });
    const peakKb = () =>
      Math.max(...platform.lambda.processes("Proxy").map(({ pid }) => residentPeakKb(pid)));
    const before = peakKb();
    expect(before).toBeGreaterThan(10_000);
    const response = await fetch(`${platform.baseUrl}/proxy/2/files/download`, {
      method: "POST",
      headers: { Authorization: `Bearer ${instance.token}`, "Dropbox-API-Arg": '{"path":"/large.bin"}' },
      signal: AbortSignal.timeout(100_000),
    });
    let received = 0;
    for await (const chunk of response.body ?? []) received += chunk.length;
    expect(received).toBe(size);
    expect(peakKb() - before).toBeLessThan(50_000);
  });
});

/** The highest resident memory that a process has had (proc_pid_status(5)). */
function residentPeakKb(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Sends a request with its path as written: `fetch` would normalize the path. */
function rawStatus(path: string, token: string): Promise<number> {
  const { hostname, port } = new URL(platform.url);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      hostname,
      port,
      path,
      headers: { Authorization: `Bearer ${token}` },
      timeout: 20_000,
    });
    outgoing.on("response", (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}
