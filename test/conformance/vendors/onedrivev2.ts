import { noMembers, noTeamDrives, type VendorTraits } from "./traits.ts";

export const traits: VendorTraits = {
  rootAlias: "root",
  base: "",
  ignoresCase: true,
  downloadPath: () => "/y4m/",
  moves: { method: "PATCH", path: "/v1.0/me/drive/items/" },
  has: ["addShared"],
  lacks: [
    noTeamDrives("https://learn.microsoft.com/en-us/graph/api/resources/onedrive"),
    noMembers("https://learn.microsoft.com/en-us/graph/api/resources/onedrive"),
  ],
};
