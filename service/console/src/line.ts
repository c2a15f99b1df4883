// Whether the service can be reached at the moment; the shell shows a banner while it cannot.
import { ref } from "vue";

export const online = ref(true);

export function reached(): void {
  online.value = true;
}

export function unreached(): void {
  online.value = false;
}

// The browser knows first that its network has gone or come back.
addEventListener("offline", unreached);
addEventListener("online", reached);
