-- Stores the first login of each user in a month, for Headcount: when, from which network, with which client.
--
-- One rule stands above all others here: whatever happens, the client binds. So all that depends on a session or
-- on the storage runs inside one pcall, and what goes wrong there is a line in the log and nothing more.

local net = require "util.net";

local MONTH = "%Y-%m"; -- in the server's own time zone, as mod_monthly_visitors has it
local V4_IN_V6 = ("\0"):rep(10) .. "\255\255"; -- ::ffff:a.b.c.d: what a socket for both says of an IPv4 address

local store = assert(module:open_store("login_records", "keyval"));

-- Headcount needs this month and, for some days after its end, the one before.
local months_kept = module:get_option_number("login_records_months", 2) or 2;
months_kept = math.floor(math.min(math.max(months_kept, 1), 1200));

local detail = module:get_option_string("login_records_ip", "prefix");
if detail ~= "prefix" and detail ~= "full" and detail ~= "none" then
	module:log("error", "login_records_ip is none of \"prefix\", \"full\", \"none\": addresses are not stored");
	detail = "none"; -- a slip of the pen must not store more than was meant
end

-- The address as it is stored: its network (/24 or /48), all of it, or nil. What is no address is nil too.
local function address_of(ip)
	if detail == "none" or type(ip) ~= "string" then return nil; end
	local bytes = net.pton((ip:gsub("%%.*", ""))); -- without a zone, as in fe80::1%eth0
	if not bytes then return nil; end
	if bytes:sub(1, 12) == V4_IN_V6 then bytes = bytes:sub(13); end
	if detail == "full" then return net.ntop(bytes); end
	local kept = #bytes == 4 and 3 or 6;
	return ("%s/%d"):format(net.ntop(bytes:sub(1, kept) .. ("\0"):rep(#bytes - kept)), kept * 8);
end

local function oldest_kept(now)
	local date = os.date("*t", now);
	local months = date.year * 12 + date.month - months_kept; -- since the year 0, from 0
	return ("%04d-%02d"):format(math.floor(months / 12), months % 12 + 1);
end

local function record(session)
	local username = session.username;
	if not username then return; end -- a record of nobody would be the host's
	local now = os.time();
	local month, oldest = os.date(MONTH, now), oldest_kept(now);

	local stored, err = store:get(username);
	if err then error(err, 0); end -- what can't be read may still be whole, so it is not written over
	if type(stored) ~= "table" then stored = {}; end
	if stored[month] then return; end

	local records = { [month] = { timestamp = now; ip = address_of(session.ip); resource = session.resource } };
	for key, value in pairs(stored) do
		if type(key) == "string" and key >= oldest then records[key] = value; end
	end
	local ok, why = store:set(username, records);
	if not ok then error(why, 0); end
end

module:hook("resource-bind", function (event)
	local ok, err = pcall(record, event.session);
	if not ok then
		module:log("warn", "A login was not recorded: %s", tostring(err));
	end
end);
