import { describe, expect, it } from "vitest";
import { addToQuery } from "../../../functions/connections/add-to-query.ts";

const added = new URLSearchParams({ claim: "a b", session: "1" });

describe("values added to an app's URL", () => {
  it.each([
    ["https://app.example/done", "https://app.example/done?claim=a+b&session=1"],
    ["https://app.example/done?", "https://app.example/done?claim=a+b&session=1"],
    ["https://app.example", "https://app.example/?claim=a+b&session=1"],
    [
      "https://app.example/?sig=a%20b&flag&l=1;2",
      "https://app.example/?sig=a%20b&flag&l=1;2&claim=a+b&session=1",
    ],
  ])("leave the query of %s as it is", (url, expected) => {
    expect(addToQuery(url, added)).toBe(expected);
  });

  it("replace the app's own values of the same names", () => {
    const url = new URL(addToQuery("https://app.example/?claim=old&x=1&claim=older", added));
    expect(url.searchParams.getAll("claim")).toEqual(["a b"]);
    expect(url.searchParams.get("x")).toBe("1");
  });
});
