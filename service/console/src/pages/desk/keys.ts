// Keys of the desk. They sleep while somebody types, and can be put out altogether (this browser remembers).
import { onMounted, onUnmounted, ref, watch } from "vue";

const KEPT = "fenpai.keys";
export const awake = ref(localStorage.getItem(KEPT) !== "off");
watch(awake, (on) => localStorage.setItem(KEPT, on ? "on" : "off"));

export const HELP: [string, string][] = [
  ["1 – 9", "选候选单位"],
  ["0", "退回热线（退回的案件：确认退回，归档）"],
  ["Enter", "确认，马上到下一件"],
  ["U", "撤销刚才的决定"],
  ["J 或 ↓", "下一件"],
  ["K 或 ↑", "上一件"],
  ["O", "打开这一件的全部内容"],
  ["Esc", "不选了"],
  ["?", "显示这些键"],
];

const WRITING = "input, textarea, select, [contenteditable], [role=dialog]";
const ACTING = "a, summary, button:not([data-candidate])";

export function useKeys(press: (key: string) => boolean): void {
  const hear = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (!awake.value || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || target.closest(WRITING)) return;
    if (event.key === "Enter" && target.closest(ACTING)) return;
    if (!press(event.key.length === 1 ? event.key.toLowerCase() : event.key)) return;
    event.preventDefault();
    if (target.closest(ACTING)) target.blur(); // whoever chose by a key means this with the next Enter, not the link that was clicked before
  };
  onMounted(() => addEventListener("keydown", hear));
  onUnmounted(() => removeEventListener("keydown", hear));
}
