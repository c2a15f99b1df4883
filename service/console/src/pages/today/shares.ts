// Shares as officials read them: with how many they rest on.
import type { Schemas } from "../../api/client";

export type Share = Schemas["Share"];

export function percent(share: number | null): string {
  return share === null ? "—" : `${(share * 100).toFixed(1)}%`;
}

export function interval(share: Share): string {
  return share.low === null || share.high === null ? "还没有" : `${percent(share.low)} 至 ${percent(share.high)}`;
}
