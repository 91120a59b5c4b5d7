import type { Connector } from "../connectors/define-connector.ts";

/** A square with the connector's initials, in a colour that depends on its key. */
export function tile(connector: Pick<Connector, "key" | "name">): string {
  let hue = 0;
  // Steps of about the golden angle (137°) give similar keys different colours.
  for (const letter of connector.key) hue = (hue + letter.charCodeAt(0) * 137) % 360;
  const initials = connector.name
    .split(/\s+/)
    .map((word) => word[0] ?? "")
    .join("")
    .slice(0, 2)
    .toUpperCase();
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" role="img" aria-label="${escapeXml(connector.name)}">
<rect width="96" height="96" rx="20" fill="hsl(${hue} 45% 38%)"/>
<text x="48" y="62" font-family="system-ui, sans-serif" font-size="40" font-weight="600" text-anchor="middle" fill="#fff">${escapeXml(initials)}</text>
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
