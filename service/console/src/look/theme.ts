// Light or dark: as the system says until the person says otherwise, which this browser remembers.
import { ref } from "vue";

const KEPT = "fenpai.theme";
type Theme = "light" | "dark";

export const theme = ref<Theme>(
  (localStorage.getItem(KEPT) as Theme | null) ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);
show();

export function turn(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEPT, theme.value);
  show();
}

function show(): void {
  document.documentElement.classList.toggle("dark", theme.value === "dark");
}
