// The parts of Element Plus that the pages use, by name: what is not listed is not bundled.
import type { App } from "vue";
import {
  ElAlert, ElAutocomplete, ElBadge, ElButton, ElButtonGroup, ElCard, ElCheckbox, ElCheckboxGroup, ElCol, ElCollapse, ElCollapseItem,
  ElDatePicker, ElDescriptions, ElDescriptionsItem, ElDialog, ElDivider, ElDrawer, ElDropdown, ElDropdownItem, ElDropdownMenu,
  ElEmpty, ElForm, ElFormItem, ElIcon, ElInput, ElInputNumber, ElLink, ElLoading, ElOption, ElPagination, ElPopover, ElProgress,
  ElRadio, ElRadioButton, ElRadioGroup, ElRow, ElSegmented, ElSelect, ElSkeleton, ElSpace, ElStatistic, ElStep, ElSteps, ElSwitch,
  ElTabPane, ElTable, ElTableColumn, ElTabs, ElTag, ElTimeline, ElTimelineItem, ElTooltip, ElTree, ElUpload,
} from "element-plus";

const PARTS = [
  ElAlert, ElAutocomplete, ElBadge, ElButton, ElButtonGroup, ElCard, ElCheckbox, ElCheckboxGroup, ElCol, ElCollapse, ElCollapseItem,
  ElDatePicker, ElDescriptions, ElDescriptionsItem, ElDialog, ElDivider, ElDrawer, ElDropdown, ElDropdownItem, ElDropdownMenu,
  ElEmpty, ElForm, ElFormItem, ElIcon, ElInput, ElInputNumber, ElLink, ElLoading, ElOption, ElPagination, ElPopover, ElProgress,
  ElRadio, ElRadioButton, ElRadioGroup, ElRow, ElSegmented, ElSelect, ElSkeleton, ElSpace, ElStatistic, ElStep, ElSteps, ElSwitch,
  ElTabPane, ElTable, ElTableColumn, ElTabs, ElTag, ElTimeline, ElTimelineItem, ElTooltip, ElTree, ElUpload,
];

export const elements = {
  install(app: App): void {
    for (const part of PARTS) app.use(part);
  },
};
