import { noMembers, noTeamDrives, type VendorTraits } from "./traits.ts";

export const traits: VendorTraits = {
  rootAlias: "root",
  base: "",
  ignoresCase: true,
  downloadPath: () => "/d/1/",
  moves: { method: "PUT", path: "/2.0/files/" },
  has: ["addShared"],
  lacks: [
    noTeamDrives("https://developer.box.com/reference"),
    noMembers("https://developer.box.com/reference"),
  ],
};
