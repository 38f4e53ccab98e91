-- The work of mod_measure_active_users, by Prosody's own datamanager: lua5.4 measure_active_users.lua LIB DATA_DIR HOST
local lib, data_dir, host = table.unpack(arg);
package.path, package.cpath = lib .. "/?.lua;" .. package.path, lib .. "/?.so;" .. package.cpath;
local datamanager = require "util.datamanager";
datamanager.set_data_path(data_dir);

local active_d1, active_d7, active_d30 = 0, 0, 0;
local now = os.time();
for username in datamanager.users(host, "lastlog2") do
	local lastlog_data = datamanager.load(username, host, "lastlog2");
	if lastlog_data then
		local last_active = math.max(
			lastlog_data.login and lastlog_data.login.timestamp or 0,
			lastlog_data.logout and lastlog_data.logout.timestamp or 0
		);
		if now - last_active < 86400 then active_d1 = active_d1 + 1; end
		if now - last_active < 86400 * 7 then active_d7 = active_d7 + 1; end
		if now - last_active < 86400 * 30 then active_d30 = active_d30 + 1; end
	end
end
print(active_d1, active_d7, active_d30);
