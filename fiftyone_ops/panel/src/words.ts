// Numbers in words.

export function grouped(count: number): string {
  return count.toLocaleString("en");
}

export function clips(count: number): string {
  return `${grouped(count)} clip${count === 1 ? "" : "s"}`;
}
