import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormBrowser, type Page } from "../form-browser.ts";
import { type RunningPlatform, startTestPlatform } from "../platform/start.ts";
import { App } from "./app.ts";
import { operatorOf } from "./tenants.ts";

let platform: RunningPlatform;
let app: App;
beforeAll(async () => {
  platform = await startTestPlatform();
  app = new App(platform.demo);
});
afterAll(() => platform.close());

/** Goes from a page of the hosted flow through the vendor and back. */
async function pass(browser: FormBrowser, connectPage: Page): Promise<Page> {
  const login = await browser.submit(connectPage, /continue with/i);
  return await browser.submit(await browser.submit(login, /continue|sign in|log in|next/i), /allow/i);
}

describe("the demo app", () => {
  it("works when the vendor ends the token twice within a minute: it says why, and still has all buttons", async () => {
    const browser = new FormBrowser();
    let page = await browser.submit(await browser.open(platform.url), /connect dropbox/i);
    page = await pass(browser, page);
    expect(page.text).toContain("Dropbox is connected.");
    platform.clock.advance(120_000);
    page = await browser.submit(page, /end it early/i);
    expect(page.text).toContain("this listing came with a new one");
    page = await browser.submit(page, /end it early/i);
    expect(page.status).toBe(200);
    expect(page.text).toContain("once a minute");
    expect(page.text).not.toContain("this listing came with a new one");
    platform.clock.advance(61_000);
    page = await browser.submit(page, /refresh now/i);
    expect(page.text).toContain("Refreshed");
    expect(page.text).toContain("<table>");
  });

  it("connects an account at a vendor that names its hosts in the callback, and passes all of the callback on", async () => {
    const browser = new FormBrowser();
    const page = await pass(
      browser,
      await browser.submit(await browser.open(platform.url), /connect sharefile/i),
    );
    expect(page.text).toContain("ShareFile is connected.");
    expect(page.text).toContain("Welcome.txt");
    const query = "code=the-code&state=ls_x&subdomain=acme&apicp=sf-api.com";
    const { text } = await browser.open(`${platform.url}/callback/sharefile?${query}`);
    for (const value of ["the-code", "ls_x", "acme", "sf-api.com"]) expect(text).toContain(value);
  });

  it("takes an account that was disconnected elsewhere from its list, and says so", async () => {
    const browser = new FormBrowser();
    const connect = () => browser.open(platform.url).then((home) => browser.submit(home, /connect dropbox/i));
    const first = await pass(browser, await connect());
    const id = /accounts\/(\d+)/.exec(first.url + first.text)?.[1];
    expect((await app.platform("DELETE", `/instances/${id}`)).status).toBe(200);
    const page = await browser.open(`${platform.url}/accounts/${id}`);
    expect([page.status, new URL(page.url).pathname]).toEqual([200, "/"]);
    expect(page.text).toContain("was disconnected elsewhere");
    expect((await browser.open(platform.url)).text).not.toContain(`/accounts/${id}`);
  });

  it("shows the claim of a session that it did not begin, and does not claim it", async () => {
    const session = await app.platform<{ id: string; connectUrl: string }>("POST", "/connect/sessions", {
      element: { key: "dropbox" },
      returnUrl: `${platform.url}/`,
      endUser: "user-1",
    });
    const browser = new FormBrowser();
    const page = await pass(browser, await browser.open(session.body.connectUrl));
    expect(page.status).toBe(200);
    const command = page.text.replaceAll("&quot;", '"').replaceAll("&#39;", "'");
    expect(command).toContain(`"$BASE/connect/sessions/${session.body.id}/claim"`);
    const payload = JSON.parse(/-d '(.*?)'/.exec(command)?.[1] ?? "");
    const claimed = await app.platform<{ token: string }>(
      "POST",
      `/connect/sessions/${session.body.id}/claim`,
      payload,
    );
    expect(claimed.status).toBe(200);
    expect((await app.hub(claimed.body.token, "GET", "/ping")).status).toBe(200);
  });

  it("redirects from localhost to its own address, where its forms work", async () => {
    const local = platform.url.replace("127.0.0.1", "localhost");
    const answer = await fetch(`${local}/accounts/1?path=%2Fa`, { redirect: "manual" });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe(`${platform.url}/accounts/1?path=%2Fa`);
    const form = await fetch(`${local}/connect`, {
      method: "POST",
      headers: { Origin: local },
      body: new URLSearchParams({ connector: "dropbox" }),
      redirect: "manual",
    });
    expect(form.status).toBe(403);
    await form.body?.cancel();
  });

  it("refuses a form that another site sends", async () => {
    const answer = await fetch(`${platform.url}/connect`, {
      method: "POST",
      headers: { Origin: "https://evil.example" },
      body: new URLSearchParams({ connector: "dropbox" }),
      redirect: "manual",
    });
    expect(answer.status).toBe(403);
    await answer.body?.cancel();
  });
});

describe("the demo organization", () => {
  it("keeps what an operator added to its lists, and follows the demo app to a new address", async () => {
    const dataFolder = await mkdtemp(path.join(tmpdir(), "linkspan-demo-tenant-"));
    const listsOf = async (running: RunningPlatform) => {
      const [organization] = await operatorOf(running).listOrganizations();
      return {
        id: organization?.id ?? "",
        returnUrls: organization?.returnUrls,
        origins: organization?.origins,
      };
    };
    const first = await startTestPlatform({ dataFolder });
    const before = await listsOf(first);
    expect(before).toMatchObject({ returnUrls: [`${first.url}/`], origins: [first.url] });
    await operatorOf(first).setAllowLists(before.id, {
      returnUrls: [`${first.url}/`, "https://app.example/*"],
      origins: ["https://app.example", first.url],
    });
    await first.close();
    const second = await startTestPlatform({ dataFolder });
    expect(await listsOf(second)).toEqual({
      id: before.id,
      returnUrls: ["https://app.example/*", `${second.url}/`],
      origins: ["https://app.example", second.url],
    });
    await second.close();
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 3 });
  });
});
