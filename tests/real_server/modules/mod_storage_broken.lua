-- For tests: a storage that fails in the way that the option `broken_storage` names.

local how = module:get_option_string("broken_storage", "errors");

local function fail()
	if how == "throws" then error("the disk is on fire"); end
	return nil, "the disk is on fire";
end

local driver = {};

function driver.open()
	return {
		get = how == "errors on writing" and function () return nil; end or fail;
		set = fail;
	};
end

function driver.purge() return true; end

module:provides("storage", driver);
