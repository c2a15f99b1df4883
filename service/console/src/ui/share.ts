// Shares as people read them: with one decimal, with their interval, or "—" where there is nothing to count.
type Number = number | null | undefined;

/** 1,000,000 */
export function many(count: number): string {
  return count.toLocaleString("zh-CN");
}

/** 91.7% */
export function percent(share: Number): string {
  return share === null || share === undefined ? "—" : `${(share * 100).toFixed(1)}%`;
}

/** 91.7%（73.0%–99.0%） */
export function ranged(share: Number, low: Number, high: Number): string {
  return share === null || share === undefined ? "—" : `${percent(share)}（${percent(low)}–${percent(high)}）`;
}
