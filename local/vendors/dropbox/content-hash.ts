import { createHash } from "node:crypto";
import { type Content, hashOf } from "../content.ts";

const BLOCK = 4 * 1024 * 1024;

/**
 * SHA-256 over the SHA-256 digests of each 4 MiB block.
 * https://www.dropbox.com/developers/reference/content-hash
 */
export function contentHash(content: Content): string {
  return hashOf(content, "dropbox", () => {
    const whole = createHash("sha256");
    for (let start = 0; start < content.size; start += BLOCK) {
      const block = createHash("sha256");
      for (const piece of content.read(start, Math.min(start + BLOCK, content.size))) block.update(piece);
      whole.update(block.digest());
    }
    return whole.digest("hex");
  });
}
