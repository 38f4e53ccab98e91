-- For tests: gives each session the address that the test chose for its user, before anything stores it.
-- The file holds "user<TAB>address" a line; the address "nil" is none at all, and without a line it stays.

local path = module:get_option_string("chosen_addresses");

module:hook("authentication-success", function (event)
	local session = event.session;
	for line in io.lines(path) do
		local user, address = line:match("^(.-)\t(.*)$");
		if user == session.username then
			session.ip = address ~= "nil" and address or nil;
		end
	end
end, 1000);
