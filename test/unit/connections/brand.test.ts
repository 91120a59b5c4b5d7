import { createHash } from "node:crypto";
import { html } from "hono/html";
import { describe, expect, it } from "vitest";
import { page } from "../../../functions/connections/page.ts";

const logo = { mediaType: "image/png", bytes: Buffer.from("picture") };
const shown = (brand?: Parameters<typeof page>[4]) => page(200, "Title", html`<h1>Title</h1>`, {}, brand);
const policyOf = ({ headers }: ReturnType<typeof page>) => headers?.["Content-Security-Policy"] ?? "";

describe("a page of an organization", () => {
  it("carries its name, as text", () => {
    const { body } = shown({ name: "Ada & <Co>", branding: undefined });
    expect(body).toContain("<header><span>Ada &amp; &lt;Co&gt;</span></header>");
  });

  it("carries its logo in the page itself, and loads nothing", () => {
    const answer = shown({ name: "Ada", branding: { logo } });
    expect(answer.body).toContain(
      `<img src="data:image/png;base64,${logo.bytes.toString("base64")}" alt="">`,
    );
    expect(policyOf(answer)).toContain("img-src 'self' data:;");
  });

  it("has its colour under a policy that allows these styles alone", () => {
    const answer = shown({ name: "Ada", branding: { color: "#ffdd00" } });
    const styles = [...String(answer.body).matchAll(/<style>(.*?)<\/style>/gs)].map(
      ([, style = ""]) => style,
    );
    expect(styles).toHaveLength(2);
    expect(styles[1]).toContain("color:#000000;background:#ffdd00");
    const sources = styles.map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);
    expect(policyOf(answer)).toContain(`style-src ${sources.join(" ")};`);
  });

  it("looks as usual when the organization has no brand", () => {
    expect(String(shown().body)).not.toContain("<header>");
    expect(policyOf(shown())).toBe(policyOf(shown({ name: "Ada", branding: {} })));
  });
});
