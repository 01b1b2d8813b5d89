// Chinese: words of all pages.

/** Parts as people enumerate them. */
export const list = (parts) => (parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join('、')}，并${parts.at(-1)}`);

export const zh = {
  pages: '页面',
  page_preview: '预览',
  page_admin: '管理',
  language: '语言',
  theme: '主题',
  theme_auto: '自动',
  theme_light: '浅色',
  theme_dark: '深色',
  strategy: '策略',
  merge: '合并',
  replace: '替换',
  merge_hint: '新增没有的，更新已有的，不移除任何账号。',
  replace_hint: '使该来源的账号与载荷一致;其他所有者的账号保留。',
  source_id: '来源 ID',
  key: '管理员密钥',
  cancel: '取消',
  close: '关闭',
  copy: '复制',
  copied: '已复制。',
  working: '请稍候……',
  not_copied: '无法复制，已选中上面的文本。',
  owner_local: '手动添加',
  error_unauthorized: '服务器不认识这个密钥。',
  error_forbidden: '这个密钥没有管理员权限。',
  error_no_server: '这个地址没有 Tributary 服务器。',
  error_unreachable: '无法连接服务器。',
  error_refused: (message) => `服务器拒绝：${message}`,
};
