import { describe, expect, it } from "vitest";
import type { DocumentsItem } from "../../../functions/core/documents/item.ts";
import type { CallRequest, VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { vendorFailure } from "../../../functions/core/documents/vendor-failure.ts";
import { readLink, revokeLinks } from "../../../functions/core/documents/vendors/dropbox/links.ts";
import { dropboxRefusal } from "../../../functions/core/documents/vendors/dropbox/refusals.ts";

const item: DocumentsItem = {
  id: "a",
  reference: "/a.txt",
  name: "a.txt",
  path: "/a.txt",
  directory: false,
  raw: {},
};
const link = (name: string, more: object = {}) => ({
  ".tag": "file",
  url: `https://www.dropbox.com/scl/fi/${name}/a.txt?rlkey=k&dl=0`,
  name: "a.txt",
  link_permissions: { can_revoke: true, resolved_visibility: { ".tag": "public" } },
  ...more,
});

type Call = CallRequest & { json?: Record<string, unknown> };

/** A vendor that answers each call by its name. @param answer throws a body to refuse the call with 409 */
function vendor(answer: (name: string, argument: Record<string, unknown>) => unknown) {
  const seen: string[] = [];
  const ask = async (request: Call): Promise<unknown> => {
    const name = request.url.split("/").at(-1) ?? "";
    seen.push(name);
    try {
      return answer(name, request.json ?? JSON.parse(String(request.body)));
    } catch (body) {
      throw vendorFailure({ status: 409, headers: {} }, body, dropboxRefusal(409, body), []);
    }
  };
  const call = { json: ask, expectOk: async (request: Call) => void (await ask(request)) };
  return { call: call as unknown as VendorCall, seen };
}

describe("a Dropbox link", () => {
  it("that somebody has made since the listing is taken from the refusal", async () => {
    const { call } = vendor((name) => {
      if (name === "list_shared_links") return { links: [], has_more: false };
      throw {
        error_summary: "shared_link_already_exists/metadata/.",
        error: {
          ".tag": "shared_link_already_exists",
          shared_link_already_exists: { ".tag": "metadata", metadata: link("there") },
        },
      };
    });
    expect((await readLink(call, item)).providerLink).toBe(
      "https://www.dropbox.com/scl/fi/there/a.txt?rlkey=k&dl=1",
    );
  });

  it("that the refusal does not describe is listed again", async () => {
    let listings = 0;
    const { call } = vendor((name) => {
      if (name === "list_shared_links") {
        listings++;
        return { links: listings === 1 ? [] : [link("late")], has_more: false };
      }
      throw { error_summary: "shared_link_already_exists/", error: { ".tag": "shared_link_already_exists" } };
    });
    expect((await readLink(call, item)).providerViewLink).toContain("/late/");
  });

  it("that the user may not make is a refusal", async () => {
    const { call } = vendor((name) => {
      if (name === "list_shared_links") return { links: [], has_more: false };
      throw { error_summary: "access_denied/.", error: { ".tag": "access_denied" } };
    });
    await expect(readLink(call, item)).rejects.toMatchObject({ status: 403, code: "forbidden" });
  });

  it("with an expiry or a password says so, and one without is preferred, also on a later page", async () => {
    const expires = "2027-01-02T03:04:05Z";
    const old = link("old", { expires });
    const locked = link("locked", {
      link_permissions: { can_revoke: true, resolved_visibility: { ".tag": "password" } },
    });
    const read = async (...pages: object[][]) => {
      const { call } = vendor((_, { cursor }) => {
        const at = cursor === undefined ? 0 : Number(cursor);
        const hasMore = at + 1 < pages.length;
        return { links: pages[at], has_more: hasMore, ...(hasMore ? { cursor: String(at + 1) } : {}) };
      });
      return await readLink(call, item);
    };
    expect(await read([old])).toMatchObject({ expires });
    expect(await read([locked])).toMatchObject({ requiresPassword: true });
    const preferred = await read([locked, old], [], [link("open")]);
    expect(preferred.providerViewLink).toContain("/open/");
    expect(preferred).not.toHaveProperty("expires");
    expect(preferred).not.toHaveProperty("requiresPassword");
  });

  it.each([
    ["with a cursor", true],
    ["that has none for a path", false],
  ])("is taken back with all others of its item, from a listing %s", async (_, hasCursor) => {
    let left = Array.from({ length: 5 }, (__, index) => link(String(index)));
    const { call, seen } = vendor((name, argument) => {
      if (name === "revoke_shared_link") {
        left = left.filter(({ url }) => url !== argument.url);
        return null;
      }
      const hasMore = left.length > 2;
      return { links: left.slice(0, 2), has_more: hasMore, ...(hasMore && hasCursor ? { cursor: "c" } : {}) };
    });
    await revokeLinks(call, item);
    expect(left).toEqual([]);
    expect(seen.filter((name) => name === "revoke_shared_link").length).toBeGreaterThanOrEqual(5);
  });

  it("that is gone already ends no taking back", async () => {
    let isListed = true;
    const { call } = vendor((name) => {
      if (name === "list_shared_links") return { links: isListed ? [link("gone")] : [], has_more: false };
      isListed = false;
      throw { error_summary: "shared_link_not_found/.", error: { ".tag": "shared_link_not_found" } };
    });
    await expect(revokeLinks(call, item)).resolves.toBeUndefined();
  });
});
