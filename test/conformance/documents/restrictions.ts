import { describe, expect, it } from "vitest";
import { type Fixture, itWith, LOGIN, neverMissing } from "./fixture.ts";

/** Files that a vendor refuses to copy, to export or to hand out: the caller learns which of these it is, and what helps. */
export function describeRestrictions(on: Fixture): void {
  describe("a file that the vendor restricts", () => {
    const restricted = async (what: "copy" | "downloads" | "malware") => {
      const item = await on.hub.upload(`${on.home}/${what}.txt`, "content");
      on.vendor.places.restrict?.(LOGIN, item.id, what);
      return item;
    };
    itWith(on, "restrict")("because it was downloaded too often, is 403 with its own code", async () => {
      const { path } = await restricted("downloads");
      const refused = await on.refusal("GET", "/files", { query: { path } });
      expect([refused.status, refused.code]).toEqual([403, "download_quota_exceeded"]);
    });

    itWith(on, "restrict")("as malware, is downloaded only by an owner who acknowledges this", async () => {
      const { path, id } = await restricted("malware");
      const refused = await on.refusal("GET", "/files", { query: { path, acknowledgeAbuse: false } });
      expect([refused.status, refused.code]).toEqual([403, "marked_as_malware"]);
      const query = { acknowledgeAbuse: true };
      const acknowledged = await on.hub.call("GET", `/files/${id}`, {
        query,
        headers: { Range: "bytes=0-2" },
      });
      expect([acknowledged.status, acknowledged.bytes.toString()]).toEqual([206, "con"]);
      const foreign = on.vendor.places.addShared(LOGIN, "theirs.exe", "theirs");
      on.vendor.places.restrict?.(LOGIN, foreign, "malware");
      const notOwner = await on.refusal("GET", `/files/${foreign}`, { query });
      expect([notOwner.status, notOwner.code]).toEqual([403, "marked_as_malware"]);
    });

    it("as malware, and no other file, needs the acknowledgement: others are downloaded with it, too", async () => {
      const { path } = await on.hub.upload(`${on.home}/harmless.txt`, "content");
      const { status } = await on.hub.call("GET", "/files", { query: { path, acknowledgeAbuse: true } });
      expect(status).toBe(200);
    });

    itWith(
      on,
      "addDocument",
      "restrict",
    )("because it is too large to export, is 403 with its own code", async () => {
      const { addDocument = neverMissing, restrict = neverMissing } = on.vendor.places;
      const id = addDocument(LOGIN, `Huge ${on.home.slice(1)}`, "text");
      restrict(LOGIN, id, "export");
      const refused = await on.refusal("GET", `/files/${id}`);
      expect([refused.status, refused.code]).toEqual([403, "export_too_large"]);
    });

    itWith(on, "restrict")("from being copied, is 403, and nothing is left at the target", async () => {
      const { path } = await restricted("copy");
      const json = { path: `${on.home}/copy of it.txt` };
      const refused = await on.refusal("POST", "/files/copy", { query: { path }, json });
      expect([refused.status, refused.code]).toEqual([403, "forbidden"]);
      expect((await on.hub.metadata(json.path)).status).toBe(404);
    });
  });

  itWith(on, "restrict")(
    "a folder with a file that cannot be copied is copied but for that file, which the error names",
    async () => {
      const from = `${on.home}/folder`;
      for (const name of ["a.txt", "sub/b.txt", "sub/refused.txt", "z.txt"])
        await on.hub.upload(`${from}/${name}`, name);
      const { id } = (await on.hub.metadata(`${from}/sub/refused.txt`)).json;
      on.vendor.places.restrict?.(LOGIN, id, "copy");
      const json = { path: `${on.home}/copy` };
      const request = { query: { path: from }, json };
      const refused = await on.refusal("POST", "/folders/copy", request);
      expect([refused.status, refused.code]).toEqual([502, "copy_incomplete"]);
      expect(refused.detail).toMatchObject({
        copied: 4,
        missing: [{ path: "/sub/refused.txt", code: "forbidden" }],
        endedEarly: false,
      });
      for (const name of ["a.txt", "sub/b.txt", "z.txt"])
        expect((await on.hub.bytes(`${json.path}/${name}`)).toString()).toBe(name);
      const again = await on.refusal("POST", "/folders/copy", {
        query: { path: from, overwrite: true },
        json,
      });
      expect([again.status, again.code]).toEqual([502, "copy_incomplete"]);
      const names = (await on.hub.contents(on.home)).json.map(({ name }) => name).toSorted();
      expect(names).toEqual(["copy", "folder"]);
    },
  );

  it("a rate limit is 429 and says how long to wait, also if the vendor does not", async () => {
    for (const status of [403, 429]) {
      on.vendor.fail({ endpoint: "api", count: 20, status });
      const refused = await on.refusal("GET", "/storage");
      if (refused.status !== 429) expect([refused.status, refused.code]).toEqual([403, "forbidden"]);
      else expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      on.vendor.clearFaults();
    }
  });
}
