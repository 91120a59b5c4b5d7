import { describe, expect, it } from "vitest";
import type { CallRequest, VendorCall } from "../../../functions/core/documents/vendor-call.ts";
import { vendorFailure } from "../../../functions/core/documents/vendor-failure.ts";
import { dropbox } from "../../../functions/core/documents/vendors/dropbox/dropbox.ts";

const NAME = "Dropbox-API-Path-Root";

/** An instance of which the vendor has told these namespaces. @param refuse the vendor's body for a call with a root, 400 */
function instance(
  facts: Record<string, string>,
  configuration: Record<string, string> = {},
  refuse?: string,
) {
  const sent: (string | undefined)[] = [];
  let toldCount = 0;
  const call = {
    instance: {
      configuration,
      told: async () => {
        toldCount++;
        return facts;
      },
    },
    json: async ({ headers = [] }: CallRequest) => {
      const root = headers.find(([name]) => name === NAME)?.[1];
      sent.push(root);
      if (root !== undefined && refuse !== undefined)
        throw vendorFailure({ status: 400, headers: {} }, refuse, undefined, []);
      return { entries: [], cursor: "c", has_more: false };
    },
  } as unknown as VendorCall;
  return { sent, told: () => toldCount, list: () => dropbox.list(call, "/", { limit: 10 }) };
}

const team = { rootNamespace: "7", homeNamespace: "1" };

describe("the root of Dropbox's paths", () => {
  it("is the team space of a member of a team, and named so that a change of the team is noticed", async () => {
    const { sent, list } = instance(team);
    await list();
    expect(sent).toEqual(['{".tag":"root","root":"7"}']);
  });

  it("is not named for an account that has one root, or whose configuration asks for the own folder", async () => {
    const alone = instance({ rootNamespace: "1", homeNamespace: "1" });
    await alone.list();
    const home = instance(team, { "path.root": "home" });
    await home.list();
    expect([...alone.sent, ...home.sent]).toEqual([undefined, undefined]);
    // Nothing is read that is not needed.
    expect(home.told()).toBe(0);
  });

  it("may be any namespace; another text is 400 before a call", async () => {
    const one = instance(team, { "path.root": "42" });
    await one.list();
    expect(one.sent).toEqual(['{".tag":"namespace_id","namespace_id":"42"}']);
    const wrong = instance(team, { "path.root": "/Marketing" });
    await expect(wrong.list()).rejects.toMatchObject({
      status: 400,
      detail: { field: "configuration.path.root" },
    });
    expect(wrong.sent).toEqual([]);
  });

  it("is left to the vendor for an app that sees its own folder only", async () => {
    const text =
      'Error in call to API function "files/list_folder": Path root is not supported for sandbox app.';
    const { sent, list } = instance(team, {}, text);
    await list();
    await list();
    expect(sent.map((root) => root !== undefined)).toEqual([true, false, false]);
    const other = instance(team, {}, "Error in call to API function: something else");
    await expect(other.list()).rejects.toMatchObject({ status: 400 });
    expect(other.sent).toHaveLength(1);
  });
});
