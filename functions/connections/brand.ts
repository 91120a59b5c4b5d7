import { html } from "hono/html";
import { type Branding, textColorOn } from "../core/tenants/branding.ts";

/** Whose page it is: the organization that asks its user to connect an account. */
export interface Brand {
  readonly name: string;
  readonly branding: Branding | undefined;
}

/** The head of a page: the organization's logo and name. The logo stands in the page itself, so nothing is loaded. */
export function brandHeader({ name, branding }: Brand): ReturnType<typeof html> {
  const { logo } = branding ?? {};
  const image =
    logo === undefined
      ? ""
      : html`<img src="data:${logo.mediaType};base64,${Buffer.from(logo.bytes).toString("base64")}" alt="">`;
  return html`<header>${image}<span>${name}</span></header>`;
}

/** Rules in the organization's colour; empty: it has none. The text on it is black or white, whichever has more contrast. */
export function brandStyle({ branding }: Brand): string {
  const { color } = branding ?? {};
  if (color === undefined) return "";
  return `main{border-top:4px solid ${color}}button.only{color:${textColorOn(color)};background:${color};border-color:var(--line)}`;
}
