// The present moment, for times that are told as "still so long"; moved on twice a minute.
import { ref } from "vue";

export const now = ref(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);
