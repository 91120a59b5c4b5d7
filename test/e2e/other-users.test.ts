import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ClassicLevel } from "classic-level";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announcement } from "../../local/announce.ts";
import { FormBrowser, type Page } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";

/** Goes through the hosted flow, to the vendor and back. */
async function connected(platform: RunningPlatform, browser: FormBrowser): Promise<Page> {
  const connect = await browser.submit(await browser.open(platform.url), /connect dropbox/i);
  const login = await browser.submit(connect, /continue with/i);
  return browser.submit(await browser.submit(login, /continue|sign in|log in|next/i), /allow/i);
}

/** Every secret in the files of the data folder. */
function secretsIn(dataFolder: string): string[] {
  const secrets: string[] = [];
  for (const name of readdirSync(dataFolder).filter((each) => each.endsWith(".json")))
    JSON.parse(readFileSync(path.join(dataFolder, name), "utf8"), (key, value: unknown) => {
      if (/secret|token/i.test(key) && typeof value === "string") secrets.push(value);
      return value;
    });
  return secrets;
}

describe("another user of the same machine", () => {
  let platform: RunningPlatform;
  let owner: FormBrowser;
  let account: Page;
  let instanceId: string;
  beforeAll(async () => {
    platform = await startTestPlatform();
    owner = new FormBrowser();
    account = await connected(platform, owner);
    instanceId = /\/accounts\/(\d+)/.exec(account.url)?.[1] ?? "";
  });
  afterAll(() => platform.close());

  it("finds no secret on any page, and neither does the owner's browser", async () => {
    const secrets = secretsIn(platform.dataFolder);
    // Secrets of organization and user, each connector's client, operator, functions, and the account's instance token.
    expect(secrets.length).toBeGreaterThan(8);
    const pages = [
      "/",
      "/callback/dropbox?code=a-code&state=a-state",
      "/callback/googledrive?error=access_denied",
      "/callback/dropbox",
      "/?session=cs_x&claim=lsc_x",
      "/?error=access_denied",
      "/?done=x&failed=y",
      `/accounts/${instanceId}`,
      `/accounts/${instanceId}/download?target=/`,
      "/no-such-page",
      "/take-over/",
      "/take-over/undefined",
    ].map((route) => platform.url + route);
    for (const { origin, consoleUrl } of Object.values(platform.vendors))
      pages.push(
        consoleUrl,
        `${origin}/`,
        ...["", "/requests", "/living", "/entries?login=ada@example.com"].map(
          (each) => `${origin}/_control${each}`,
        ),
      );
    for (const browser of [new FormBrowser(), owner])
      for (const url of pages) {
        const { text, headers } = await browser.open(url);
        const all = text + JSON.stringify([...headers]);
        for (const secret of secrets) expect(all.includes(secret), `a secret on ${url}`).toBe(false);
      }
  });

  it("gets the callback page that the owner needs: with the code, and with a command that reads the secrets from a file", async () => {
    const page = await new FormBrowser().open(`${platform.url}/callback/dropbox?code=a-code&state=a-state`);
    const text = page.text.replaceAll("&quot;", '"').replaceAll("&#39;", "'");
    expect(text).toContain('"code":"a-code","state":"a-state"');
    expect(text).toContain('curl -s -X POST "$BASE/instances"');
    expect(text).toContain('-H "Authorization: $AUTH"');
    expect(text).toContain(`readFileSync("${platform.dataFolder}/demo.json"`);
  });

  it("does not see the owner's accounts, and cannot use them", async () => {
    expect((await owner.open(platform.url)).text).toContain(`/accounts/${instanceId}"`);
    const stranger = new FormBrowser();
    expect((await stranger.open(platform.url)).text).not.toContain(`/accounts/${instanceId}"`);
    const account = `${platform.url}/accounts/${instanceId}`;
    for (const route of ["", "?path=%2F", "/download?target=%2Fx"])
      expect((await stranger.open(account + route)).status, route).toBe(404);
    for (const action of ["upload", "folders", "remove", "refresh", "expire", "disconnect"]) {
      // This client is not a browser, so it can send any Origin and Cookie.
      const answer = await fetch(`${account}/${action}?path=%2F`, {
        method: "POST",
        headers: { Origin: platform.url, Cookie: `demo_user=${"x".repeat(24)}` },
        body: new URLSearchParams({ name: "x", target: "/x" }),
        redirect: "manual",
      });
      expect(answer.status, action).toBe(404);
      await answer.body?.cancel();
    }
    expect((await owner.open(account)).status).toBe(200);
  });

  it("cannot reach the stand-ins' controls from a web page or from a page on another port", async () => {
    for (const { origin } of Object.values(platform.vendors)) {
      const from = (headers: Record<string, string>) =>
        fetch(`${origin}/_control/requests`, { headers }).then(async (answer) => {
          await answer.body?.cancel();
          return answer.status;
        });
      expect(await from({ "Sec-Fetch-Site": "cross-site" })).toBe(403);
      expect(await from({ "Sec-Fetch-Site": "same-site" })).toBe(403);
      expect(await from({ Origin: "null" })).toBe(403);
      expect(await from({})).toBe(200);
    }
  });

  it("gets a vendor's file as a download, not as a page of the demo app", async () => {
    const form = new FormData();
    form.set("file", new Blob(["<script>alert(1)</script>"], { type: "text/html" }), "page.html");
    const app = new App(platform.demo);
    const accounts = JSON.parse(
      readFileSync(path.join(platform.dataFolder, "demo-accounts.json"), "utf8"),
    ) as { instanceToken: string }[];
    const uploaded = await app.call("POST", "/hubs/documents/files?path=/page.html&overwrite=true", {
      authorization: `Bearer ${accounts[0]?.instanceToken}`,
      body: form,
    });
    expect(uploaded.status).toBe(200);
    const shown = await owner.open(`${platform.url}/accounts/${instanceId}/download?target=%2Fpage.html`);
    expect(shown.status).toBe(200);
    expect(shown.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(shown.headers.get("content-security-policy")).toContain("sandbox");
    expect(shown.headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("a data folder of the previous version", () => {
  it("still works: the platform converts its tables, and the first browser that opens the printed address owns its accounts", async () => {
    const dataFolder = await mkdtemp(path.join(tmpdir(), "linkspan-old-data-"));
    const first = await startTestPlatform({ dataFolder });
    const owner = new FormBrowser();
    const id = /\/accounts\/(\d+)/.exec((await connected(first, owner)).url)?.[1] ?? "";
    await first.close();
    const accounts = await backToTheVersionBefore(dataFolder);

    const second = await startTestPlatform({ dataFolder });
    try {
      const token = accounts[0]?.instanceToken ?? "";
      const app = new App(second.demo);
      expect((await app.hub(token, "GET", "/folders/contents?path=/")).status).toBe(200);

      const takeOver = second.takeOverUrl ?? "";
      expect(announcement(second)).toContain(takeOver);
      const stranger = new FormBrowser();
      expect((await stranger.open(second.url)).text).not.toContain(`/accounts/${id}"`);
      expect((await stranger.open(takeOver.replace(/.$/, ""))).status).toBe(404);
      expect((await stranger.open(`${second.url}/take-over/undefined`)).status).toBe(404);
      const again = new FormBrowser();
      expect((await again.open(takeOver)).text).toContain(`/accounts/${id}"`);
      expect((await stranger.open(takeOver)).text).not.toContain(`/accounts/${id}"`);
    } finally {
      await second.close();
    }
    const third = await startTestPlatform({ dataFolder });
    expect(third.takeOverUrl).toBeUndefined();
    expect(announcement(third)).not.toContain("take-over");
    await third.close();
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 3 });
  });
});

/** Turns the data folder back to the old format: tables in LevelDB, accounts without owners. */
async function backToTheVersionBefore(dataFolder: string): Promise<{ instanceToken: string }[]> {
  const file = path.join(dataFolder, "demo-accounts.json");
  const accounts = (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>[]).map(
    ({ owner, ...rest }) => rest,
  );
  writeFileSync(file, JSON.stringify(accounts));
  const folder = path.join(dataFolder, "dynamodb");
  const database = new DatabaseSync(path.join(folder, "tables.sqlite"));
  const entries = database.prepare("SELECT key, value FROM entries").all() as {
    key: string;
    value: string;
  }[];
  database.close();
  rmSync(folder, { recursive: true });
  mkdirSync(folder, { mode: 0o700 });
  const level = new ClassicLevel<string, string>(folder);
  await level.batch(entries.map(({ key, value }) => ({ type: "put", key, value })));
  await level.close();
  return accounts as unknown as { instanceToken: string }[];
}
